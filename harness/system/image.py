"""The image that is asked for: here or pulled, or one sentence that says what to do."""

from __future__ import annotations

import difflib
from contextlib import closing
from typing import TYPE_CHECKING

import docker
import docker.errors

from harness.system import NotSetUp
from harness.system.engine import EngineMissing, ensure_engine, reach
from harness.system.reference_image import ensure_reference_image

if TYPE_CHECKING:
    from harness.system.daemon import Say


class ImageMissing(NotSetUp):
    """There is no such image here, and it cannot be pulled."""


class ImageForeign(NotSetUp):
    """The image was built for another kind of machine than the engine runs on, and cannot be run there."""


def ensure_named(name: str | None, *, say: Say) -> str:
    """Return the image that was named once it is here, and where none was the reference container's, built if need be.

    `NotSetUp` says what is missing: the engine, the image, or what the reference image is built from.
    """
    engine = ensure_engine(say=say)
    with closing(engine.client):
        if not name:
            return ensure_reference_image(engine, say=say)
    ensure_image(name)
    return name


def ensure_image(name: str) -> str:
    """Return an image's id, pulled where it is not here; raise `ImageMissing` where it is not to be had."""
    with closing(docker.from_env()) as engine:
        try:
            return str(_found(engine, name) or engine.images.pull(name).id)
        except docker.errors.APIError as error:
            msg = (
                f"there is no image {name!r} here, and it cannot be pulled ({error.explanation or error}): "
                f"{_meant(engine, name)}build it with `docker build --tag {name} .`, or load it with `docker load`"
            )
            raise ImageMissing(msg) from error


def find_image_id(name: str) -> str | None:
    """Return an image's id; None where it is not here, or no engine is there to ask."""
    try:
        with closing(reach().client) as engine:
            return _found(engine, name)
    except (EngineMissing, docker.errors.DockerException):
        return None


def exposed_ports(name: str) -> tuple[int, ...]:
    """Return the TCP ports that an image that is here says it listens on."""
    with closing(docker.from_env()) as engine:
        exposed = engine.images.get(name).attrs["Config"].get("ExposedPorts") or {}
    return tuple(int(port.partition("/")[0]) for port in exposed if not port.endswith("/udp"))


def ensure_not_foreign(name: str) -> None:
    """Raise `ImageForeign` where an image was built for another kind of machine than the engine's.

    Asked once it did not run: an engine may know how to run others.
    """
    with closing(docker.from_env()) as engine:
        image, here = engine.images.get(name).attrs, engine.version()
    built_for, runs = f"{image['Os']}/{image['Architecture']}", f"{here['Os']}/{here['Arch']}"
    if built_for != runs:
        msg = (
            f"the image {name!r} was built for {built_for}, and the Docker engine runs {runs}: "
            f"build it for that (`docker build --platform {runs}`), or name an engine of its kind in DOCKER_HOST"
        )
        raise ImageForeign(msg)


def _found(engine: docker.DockerClient, name: str) -> str | None:
    try:
        return str(engine.images.get(name).id)
    except docker.errors.ImageNotFound:
        return None


def _meant(engine: docker.DockerClient, name: str) -> str:
    """Name the image here whose name is nearest, where one is near."""
    known = [tag.removesuffix(":latest") for image in engine.api.images() for tag in image["RepoTags"] or ()]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return f"name {near[0]!r} if you meant that, " if near else ""
