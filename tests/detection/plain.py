"""The second good container's image: the base image, a folder laid over it, and nothing built."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import docker
import docker.errors

from tests.detection.layers import ROOT, pack

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = ROOT / "fixtures" / "plain_container"
REPOSITORY = "inference-harness/plain"
ENTRYPOINT = ["python", "/app/serve.py"]
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}


def build_plain_image(engine: docker.DockerClient, base: str, labels: Mapping[str, str]) -> str:
    """Return the image's name; it is made where none has these files."""
    files = {f"/app/{path.name}": path for path in sorted(FOLDER.glob("*.py"))}
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files.values())).hexdigest()[:12]
    name = f"{REPOSITORY}:{digest}"
    try:
        engine.images.get(name)
    except docker.errors.ImageNotFound:
        bare = engine.containers.create(base, labels=dict(labels), entrypoint=ENTRYPOINT, working_dir="/app")
        try:
            bare.put_archive("/", pack(files))
            changes = [f"ENV {key}={value}" for key, value in ENVIRONMENT.items()]
            bare.commit(repository=REPOSITORY, tag=digest, changes=[*changes, "CMD []", "WORKDIR /app"])
        finally:
            bare.remove(force=True)
    return name
