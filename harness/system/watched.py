"""A container that somebody else runs: looked at, never touched."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import docker
import docker.errors

from harness.system.container import State
from harness.system.daemon import LOOPBACK, EngineMissing
from harness.system.engine import reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

_ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - what Docker says of a port that is published everywhere


class CannotLook(Exception):  # noqa: N818 - named by what is the case
    """Docker does not answer: nothing is known about the container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What Docker says of a container now; `memory_kills` are those of any of its processes since a moment."""

    id: str
    image: str
    state: State
    memory_kills: int
    url: str | None


class Watched:
    """One container, by its name or id."""

    def __init__(self, name: str, *, port: int) -> None:
        """Take the name, and the port on which it listens inside."""
        self.name = name
        self._port = port

    def look(self, *, since_at: float) -> Glance | None:
        """Return how it is, None where there is no such container. Raises CannotLook."""
        with _engine() as engine:
            try:
                container = engine.containers.get(self.name)
            except docker.errors.NotFound:
                return None
            raw = container.attrs["State"]
            state = State(
                status=raw["Status"],
                exit_code=raw["ExitCode"],
                oom_killed=raw["OOMKilled"],
                restarts=container.attrs.get("RestartCount", 0),
                started_at=raw["StartedAt"],
            )
            return Glance(
                id=str(container.id),
                image=str(container.attrs["Config"]["Image"]),
                state=state,
                memory_kills=self._memory_kills(engine, since_at),
                url=self._url(container),
            )

    def _memory_kills(self, engine: docker.DockerClient, since_at: float) -> int:
        wanted = {"container": self.name, "event": "oom"}
        events = engine.events(since=int(since_at), until=int(time.time()), filters=wanted, decode=True)
        return sum(1 for _ in events)

    def _url(self, container: Container) -> str | None:
        """Return where it can be reached: at a published port, else at its address in a network of Docker's."""
        settings = container.attrs["NetworkSettings"]
        for binding in (settings.get("Ports") or {}).get(f"{self._port}/tcp") or ():
            host = LOOPBACK if binding["HostIp"] in _ANYWHERE else binding["HostIp"]
            return f"http://{host}:{binding['HostPort']}"
        networks = (settings.get("Networks") or {}).values()
        address = next((network["IPAddress"] for network in networks if network.get("IPAddress")), None)
        return f"http://{address}:{self._port}" if address else None


@contextlib.contextmanager
def _engine() -> Iterator[docker.DockerClient]:
    try:
        engine = docker.from_env()
    except docker.errors.DockerException as error:
        raise CannotLook(_why_not(error)) from error
    try:
        yield engine
    except (docker.errors.APIError, OSError) as error:
        msg = f"Docker does not answer: {error}"
        raise CannotLook(msg) from error
    finally:
        engine.close()


def _why_not(error: docker.errors.DockerException) -> str:
    """Say why Docker does not answer as everybody else does, with a way out."""
    try:
        reach().client.close()
    except EngineMissing as missing:
        return str(missing)
    return f"Docker does not answer: {error}"
