"""The reference image: built once for each state of `reference_container/`, without a network."""

import hashlib
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docker.errors import DockerException, ImageNotFound
from docker.utils.build import exclude_paths

from harness.system import NotSetUp, cache
from harness.system.base_image import ensure_base_image, find
from harness.system.command import last_lines, run
from harness.system.engine import Engine, Say, connect

REPOSITORY = "inference-harness/reference"
LATEST = f"{REPOSITORY}:latest"
FOLDER = Path(__file__).resolve().parents[2] / "reference_container"

_DOWNLOAD_BUDGET_S = 1800
_STEP_BUDGET_S = 900  # the longest that one step of the build may keep silent
_CHUNK_BYTES = 1 << 20
_NOT_CONTENT = ("wheels", "**/__pycache__", "**/.*_cache", "**/*.pyc")
# pip takes a platform's name as it stands: a wheel for an older glibc must be asked for by its own name.
_GLIBC_MINORS = range(36, 4, -1)  # Debian 12 has glibc 2.36
_OLD_NAMES = {"x86_64": ("manylinux2014", "manylinux2010", "manylinux1"), "aarch64": ("manylinux2014",)}


class ReferenceImageMissing(NotSetUp):
    """The reference image cannot be built; the message shows the last lines of what failed."""


def ensure_reference_image(
    engine: Engine, *, base: str | None = None, say: Say, folder: Path = FOLDER, repository: str = REPOSITORY
) -> str:
    """Return the name of the reference image for the folder's present content, building it where it is not there.

    `base` is a local image, by default the base image of this project. Errors: ReferenceImageMissing,
    BaseImageMissing.
    """
    _see_that_it_is_there(folder)
    base = base or ensure_base_image(engine, say=say)
    name = _name(str(engine.client.images.get(base).id), folder, repository)
    if not _is_local(engine, name):
        with cache.one_maker("reference-image") as place:
            if not _is_local(engine, name):
                wheels = _ensure_wheels(folder / "requirements.lock", engine.architecture, place / "wheels", say)
                _build(engine, name, base, _members(folder, wheels), say)
    engine.client.images.get(name).tag(repository, "latest")
    return name


def find_reference_image(engine: Engine) -> str | None:
    """Name the local reference image for the present content; None where it must be built first."""
    base = find(engine)
    if base is None or not FOLDER.is_dir():
        return None
    name = _name(str(engine.client.images.get(base).id), FOLDER, REPOSITORY)
    return name if _is_local(engine, name) else None


def find_any_reference_image(engine: Engine) -> str | None:
    """Name the reference image that was built last, of whatever content; None where there is none."""
    return LATEST if _is_local(engine, LATEST) else None


def wheels_folder(lock: Path, architecture: str) -> Path:
    """Name the folder that holds a lock's wheels once they are all downloaded."""
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    return cache.folder() / "wheels" / f"{key}-{architecture}"


def _see_that_it_is_there(folder: Path) -> None:
    for path in (folder / "Dockerfile", folder / "requirements.lock"):
        if not path.is_file():
            msg = f"{path} is missing: the reference image is built from a clone; or name an image of yours."
            raise ReferenceImageMissing(msg)


def _is_local(engine: Engine, name: str) -> bool:
    try:
        engine.client.images.get(name)
    except ImageNotFound:
        return False
    return True


def _name(base_id: str, folder: Path, repository: str) -> str:
    digest = hashlib.sha256(base_id.encode())
    for path, name in _content(folder):
        executable = os.access(path, os.X_OK)
        digest.update(f"\0{name}\0{executable}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return f"{repository}:{digest.hexdigest()[:12]}"


def _content(folder: Path) -> list[tuple[Path, str]]:
    """List the files that go into the build, as Docker would: all but those that `.dockerignore` names."""
    ignore = folder / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    names = sorted(exclude_paths(str(folder), [*patterns, *_NOT_CONTENT]))
    return [(folder / name, name) for name in names if (folder / name).is_file()]


def _members(folder: Path, wheels: Path) -> list[tuple[Path, str]]:
    return [*_content(folder), *((path, f"wheels/{path.name}") for path in sorted(wheels.iterdir()))]


def _ensure_wheels(lock: Path, architecture: str, place: Path, say: Say) -> Path:
    """Return a folder with a wheel for each line of the lock; it gets its name when the last one is there."""
    whole = wheels_folder(lock, architecture)
    if whole.is_dir():
        return whole
    say(f"downloading the reference container's wheels into {whole}")
    partial = place / f"{whole.name}.partial"
    partial.mkdir(parents=True, exist_ok=True)
    for left_over in partial.iterdir():
        left_over.unlink()
    _download(lock, architecture, partial)
    partial.rename(whole)
    return whole


def pip_for_the_image(action: str, lock: Path, architecture: str) -> list[str]:
    """Return a pip command that takes a lock's wheels for the image's Python, whatever Python runs pip."""
    names = [f"manylinux_2_{minor}" for minor in _GLIBC_MINORS] + list(_OLD_NAMES.get(architecture, ()))
    platforms = [f"--platform={name}_{architecture}" for name in names]
    python = ["--python-version=3.11", "--implementation=cp", "--only-binary=:all:"]
    strict = ["--require-hashes", "--no-deps", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    pip = [sys.executable, "-m", "pip", action, "--quiet"]
    return [*pip, *strict, *python, *platforms, f"--requirement={lock}"]


def _download(lock: Path, architecture: str, into: Path) -> None:
    command = [*pip_for_the_image("download", lock, architecture), f"--dest={into}"]
    result = run(command, budget_s=_DOWNLOAD_BUDGET_S)
    if result.returncode != 0:
        msg = f"The wheels of {lock} could not be downloaded:\n{last_lines(result.stdout)}"
        raise ReferenceImageMissing(msg)


def _build(engine: Engine, name: str, base: str, members: list[tuple[Path, str]], say: Say) -> None:
    say(f"building {name} on {base}")
    client = connect(engine.address, timeout_s=_STEP_BUDGET_S)
    try:
        lines = client.api.build(
            fileobj=_archive(members),  # type: ignore[arg-type]  # requests sends any iterable of bytes, in chunks
            custom_context=True,
            tag=name,
            buildargs={"BASE": base},
            network_mode="none",  # what a build needs, it brings
            rm=True,
            forcerm=True,
            decode=True,
        )
        _follow(lines, name)
    except (DockerException, OSError) as error:
        msg = f"{name} could not be built: {error}"
        raise ReferenceImageMissing(msg) from error
    finally:
        client.close()


def _follow(lines: Iterator[dict[str, Any]], name: str) -> None:
    log: list[str] = []
    for line in lines:
        log.extend(str(line.get("stream", "")).splitlines())
        if "error" in line:
            msg = f"{name} could not be built: {line['error']}; its last lines:\n" + last_lines("\n".join(log))
            raise ReferenceImageMissing(msg)


def _archive(members: list[tuple[Path, str]]) -> Iterator[bytes]:
    """Stream files as a tar, without times or owners: the same content is the same build."""
    for path, name in members:
        entry = tarfile.TarInfo(name)
        entry.size = path.stat().st_size
        entry.mode = 0o755 if os.access(path, os.X_OK) else 0o644
        yield entry.tobuf()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)
