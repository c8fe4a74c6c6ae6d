"""Peers as images: servers that others wrote, laid over the reference image, which has their Python and TensorFlow."""

from __future__ import annotations

import io
import tarfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import docker

from tests.bench import peers
from tests.detection.layers import REPOSITORY, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from harness.system.engine import Engine
    from harness.system.guard import Run

FIXTURES = ROOT / "fixtures"
_BENCH = ROOT / "tests" / "bench" / "inside"
# TensorFlow without a graphics card, and without words on that.
_QUIET = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One peer: the files and folders that make it (path there -> path here), and how it starts."""

    name: str
    files: Mapping[str, Path]
    entrypoint: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def profile(self) -> Path:
        """What it promises."""
        return FIXTURES / "profiles" / f"{self.name}.toml"


def challenge() -> Peer:
    """Return the service of the challenge: Flask is in the reference image."""
    app = FIXTURES / "challenge_container" / "app.py"
    return Peer(
        name="challenge",
        files={"/srv/app.py": app},
        entrypoint=("python", "/srv/app.py"),
        environment={"PYTHONPATH": "/site"},
    )


def mlflow(engine: Engine) -> Peer:
    """Return mlflow's scoring server with the reference container's SavedModel."""
    return Peer(
        name="mlflow",
        files={"/peers": peers.python_packages(engine), "/bench/mlflow_server.py": _BENCH / "mlflow_server.py"},
        entrypoint=("python", "/bench/mlflow_server.py", "8080"),
        environment={"PYTHONPATH": "/peers:/app:/site", **_QUIET},
    )


def mlserver(engine: Engine) -> Peer:
    """Return MLServer with the reference container's SavedModel behind a runtime of ours."""
    return _mlserver(engine, name="mlserver", model="model-settings.json")


def mlserver_tensor(engine: Engine) -> Peer:
    """Return the same with a runtime that takes one tensor, and says so."""
    return _mlserver(engine, name="mlserver_tensor", model="model-settings-tensor.json")


def _mlserver(engine: Engine, *, name: str, model: str) -> Peer:
    folder = FIXTURES / "mlserver_container"
    own = {f"/srv/{name}": folder / name for name in ("next_second.py", "settings.json")}
    return Peer(
        name=name,
        files={
            "/peers": peers.python_packages(engine, folder / "requirements.lock"),
            "/srv/model-settings.json": folder / model,
            **own,
        },
        entrypoint=("python", "-m", "mlserver.cli.main", "start", "/srv"),
        environment={"PYTHONPATH": "/srv:/peers:/app:/site", **_QUIET},
    )


def bentoml(engine: Engine) -> Peer:
    """Return a service of BentoML's with the reference container's SavedModel."""
    folder = FIXTURES / "bentoml_container"
    packages = peers.python_packages(engine, folder / "requirements.lock")
    serve = ("python", "-m", "bentoml", "serve", "--working-dir", "/srv", "service:NextSecond")
    return Peer(
        name="bentoml",
        files={"/peers": packages, "/srv/service.py": folder / "service.py"},
        entrypoint=(*serve, "--host", "0.0.0.0", "--port", "3000"),  # noqa: S104 - a container's port is published by who runs it
        environment={
            "PYTHONPATH": "/srv:/peers:/app:/site",
            "BENTOML_HOME": "/tmp/bentoml",  # noqa: S108 - the container's
            "BENTOML_DO_NOT_TRACK": "True",
            **_QUIET,
        },
    )


# How each is made, by its name.
PEERS: Mapping[str, Callable[[Engine], Peer]] = {
    "challenge": lambda _: challenge(),
    "mlflow": mlflow,
    "mlserver": mlserver,
    "mlserver_tensor": mlserver_tensor,
    "bentoml": bentoml,
}


@contextmanager
def peer_image(peer: Peer, base: str, run: Run) -> Iterator[str]:
    """Make a peer's image, and remove it."""
    with closing(docker.from_env(timeout=300)) as engine:
        bare = engine.containers.create(base, labels=dict(run.labels), entrypoint=list(peer.entrypoint))
        try:
            bare.put_archive("/", _packed(peer.files))
            changes = [f"ENV {name}={value}" for name, value in peer.environment.items()]
            bare.commit(repository=REPOSITORY, tag=f"{peer.name}-{run.id}", changes=[*changes, "CMD []"])
        finally:
            bare.remove(force=True)
        name = f"{REPOSITORY}:{peer.name}-{run.id}"
        try:
            yield name
        finally:
            engine.images.remove(name, force=True)


def _packed(files: Mapping[str, Path]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for there, here in files.items():
            archive.add(here, arcname=there.lstrip("/"), filter=_without_caches)
    return packed.getvalue()


def _without_caches(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name else member
