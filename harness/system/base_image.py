"""The base image: local, pulled, or made from Debian's packages."""

import contextlib
import json
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from docker.errors import APIError, DockerException, ImageNotFound

from harness.system import NotSetUp, cache, debian
from harness.system.command import last_lines, run
from harness.system.engine import Engine, Say, connect

PULLABLE = "python:3.11-slim-bookworm"
OURS = "inference-harness/python:3.11-slim-bookworm"

_SILENCE_S = 20  # a registry that says nothing for so long hangs
_PULL_BUDGET_S = 300
_MAKE_BUDGET_S = 900
_IMPORT_BUDGET_S = 300
_CHUNK_BYTES = 1 << 20
_PACKAGES = ("python3.11", "ca-certificates")
# Kept out of the image: what only a person at a terminal, or apt, would read.
_SURPLUS = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "var/lib/apt/lists", "var/log")
_CHANGES = [
    "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
    "ENV LANG=C.UTF-8",
    'CMD ["python3"]',
]


class BaseImageMissing(NotSetUp):
    """The base image is neither here, nor to be had, nor to be made; the message says what to do."""


def ensure_base_image(engine: Engine, *, name: str = PULLABLE, say: Say) -> str:
    """Return the name of a local image that serves as `name`: itself, or ours, made the same; else BaseImageMissing."""
    local = find(engine, name)
    if local is not None:
        return local
    refusal = _pull(engine, name, say)
    if refusal is None:
        return name
    if name != PULLABLE:
        msg = f"The base image {name} is not here and cannot be pulled ({refusal}): load it, or use {PULLABLE}."
        raise BaseImageMissing(msg)
    with cache.one_maker("base-image") as place:
        return find(engine, name) or _make(engine, place / "base-image.partial", refusal, say)


def find(engine: Engine, name: str = PULLABLE) -> str | None:
    """Name the local image that serves as `name`, without a look at any network; None where there is none."""
    for candidate in (name, OURS) if name == PULLABLE else (name,):
        with contextlib.suppress(ImageNotFound):
            engine.client.images.get(candidate)
            return candidate
    return None


def _pull(engine: Engine, name: str, say: Say) -> str | None:
    """Pull, and say why not; None where it worked."""
    say(f"pulling {name}")
    deadline = time.monotonic() + _PULL_BUDGET_S
    client = connect(engine.address, timeout_s=_SILENCE_S)
    try:
        for line in client.api.pull(name, stream=True, decode=True):
            if "error" in line:
                return str(line["error"])
            if time.monotonic() > deadline:
                return f"not here after {_PULL_BUDGET_S} s"
    except (DockerException, OSError) as error:
        return str(error.explanation if isinstance(error, APIError) else error)
    finally:
        client.close()
    return None if find(engine, name) == name else "the engine pulled nothing"


def _make(engine: Engine, root: Path, refusal: str, say: Say) -> str:
    say(f"{PULLABLE} is not here and cannot be pulled ({refusal}): making {OURS} from Debian's packages, once (45 s)")
    _see_that_it_can_be_made(engine, refusal, say)
    _remove(root)  # of a killed run
    try:
        _bootstrap(root)
        _furnish(root)
        _import(engine, root)
    finally:
        _remove(root)
    return OURS


def _see_that_it_can_be_made(engine: Engine, refusal: str, say: Say) -> None:
    obstacle = None
    if not debian.has_apt():
        obstacle = "this is neither Debian nor Ubuntu"
    elif not debian.is_root():
        obstacle = "debootstrap needs root"
    elif engine.architecture != platform.machine():
        obstacle = f"the engine is {engine.architecture} and this machine is {platform.machine()}"
    if obstacle is not None:
        msg = (
            f"The base image {PULLABLE} is not here and cannot be pulled ({refusal}), and {obstacle}, so it cannot be "
            f"made from Debian's packages: load it (`docker load`), or run `sudo -E .venv/bin/harness setup` once."
        )
        raise BaseImageMissing(msg)
    if shutil.which("debootstrap") is None:
        debian.install(("debootstrap", "debian-archive-keyring"), say)


def _bootstrap(root: Path) -> None:
    root.mkdir(parents=True)
    root.chmod(0o755)
    source = debian.mirror()
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(_PACKAGES)}", "bookworm", str(root)]
    command += [source] if source else []
    result = run(command, budget_s=_MAKE_BUDGET_S, environment=debian.proxy_environment())
    if result.returncode != 0:
        msg = f"`{' '.join(command)}` ended with exit status {result.returncode}:\n{last_lines(result.stdout)}"
        raise BaseImageMissing(msg)


def _furnish(root: Path) -> None:
    """Make a bootstrapped root look as the official image does: `python` on the PATH, nothing to read."""
    links = root / "usr/local/bin"
    for name in ("python", "python3"):
        (links / name).unlink(missing_ok=True)
        (links / name).symlink_to("/usr/bin/python3.11")
    # Debian forbids pip to touch its own Python; this Python is the container's own.
    (root / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink(missing_ok=True)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    for surplus in (*(root / name for name in _SURPLUS), root / "var/cache/apt"):
        for path in surplus.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _import(engine: Engine, root: Path) -> None:
    """Stream the root into the engine; the tag comes last, so that half an image never bears it."""
    archive = ["tar", "--create", "--numeric-owner", "--one-file-system", "--exclude=./dev/*", "--exclude=./proc/*"]
    client = connect(engine.address, timeout_s=_IMPORT_BUDGET_S)
    try:
        with subprocess.Popen([*archive, "--directory", str(root), "."], stdout=subprocess.PIPE) as tar:
            answer = client.api.import_image_from_data(_chunks(tar), changes=_CHANGES)
        image_id = _imported(answer)
        if tar.returncode != 0:
            client.images.remove(image_id)
            msg = f"`tar` of {root} ended with exit status {tar.returncode}; the image was thrown away."
            raise BaseImageMissing(msg)
        client.images.get(image_id).tag(OURS)
    except (DockerException, OSError) as error:
        msg = f"The engine could not take in the base image: {error}"
        raise BaseImageMissing(msg) from error
    finally:
        client.close()


def _chunks(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    stream = process.stdout
    while stream is not None and (chunk := stream.read(_CHUNK_BYTES)):
        yield chunk


def _imported(answer: str) -> str:
    last = json.loads(answer.strip().splitlines()[-1])
    if "error" in last:
        msg = f"The engine refused the base image: {last['error']}"
        raise BaseImageMissing(msg)
    return str(last["status"])


def _remove(root: Path) -> None:
    """Remove a bootstrapped root, and what debootstrap left mounted in it when it was killed."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    for mount in reversed([path for path in mounts if path.startswith(f"{root}/")]):
        subprocess.run(["umount", "--lazy", mount], check=True)
    if root.exists():
        shutil.rmtree(root)
