"""A program that runs once in a container which is cut off from everything, and what it printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import docker.errors

from harness.system.command import last_lines
from harness.system.guard import begin_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.system.engine import Engine

_MEMORY = "2g"


class OneShotFailed(Exception):  # noqa: N818 - named by what happened
    """The program failed, or could not be started; the message holds its last lines."""


def run_once(engine: Engine, image: str, arguments: Sequence[str], *, program: str, mounts: Mapping[str, Path]) -> str:
    """Run a program of an image, without a network, with folders of ours at `mounts`, read-only; return its output."""
    run_here = begin_run()
    try:
        output = engine.client.containers.run(
            image,
            list(arguments),
            entrypoint=[program],
            remove=True,
            network_mode="none",
            read_only=True,
            tmpfs={"/tmp": ""},  # noqa: S108 - the container's own
            mem_limit=_MEMORY,
            volumes={str(path.resolve()): {"bind": there, "mode": "ro"} for there, path in mounts.items()},
            labels=dict(run_here.labels),
        )
    except (docker.errors.ContainerError, docker.errors.APIError) as error:
        raise OneShotFailed(last_lines(str(error))) from error
    finally:
        run_here.end()
    return bytes(output).decode("utf-8", "replace")
