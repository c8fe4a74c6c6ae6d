"""The door to the container under test: start, stop, harm, look; every one carries the labels of its run."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import docker
import docker.errors
from docker.types import Mount
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from harness.system import failed_start
from harness.system.client import Client, NoAnswer
from harness.system.daemon import Machine
from harness.system.waiting import WaitedInVain, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from docker.models.containers import Container

    from harness.contract.profile import Profile
    from harness.system.guard import Run

# Testcontainers' own reaper is an image to pull; our guard process does its work without one.
testcontainers_config.ryuk_disabled = True

LOG_LINES = 20
LIMIT_S = 30.0


class SutLost(Exception):  # noqa: N818 - named by what happened
    """The container is not running although nobody told it to stop; the message carries its last log lines."""


class LimitRefused(Exception):  # noqa: N818 - named by what happened
    """Docker, or the kernel, refuses to set a limit: ours, and nothing is known about the container."""


class NeverReady(WaitedInVain):
    """No ping was 200 in time; `failure` is what became of the last one where no answer came."""

    def __init__(self, msg: str, failure: NoAnswer | None) -> None:
        super().__init__(msg)
        self.failure = failure


class CannotStart(Exception):  # noqa: N818 - named by what happened
    """The container could not be started at all: our side, Docker's, or the image's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a container is started: arguments after the image's name, and Docker's options by Docker's names.

    `port` is where it is told to listen, where that is not the profile's port.
    """

    arguments: tuple[str, ...]
    port: int | None = None
    ports: tuple[int, ...] = ()  # others that are published too
    environment: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)  # path here -> path there, read-only
    kept: tuple[str, ...] = ()  # folders there that outlive a kill, and go with the container
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What Docker says of a container."""

    status: str
    exit_code: int
    oom_killed: bool
    restarts: int
    started_at: str = ""  # Docker's text: another one after each start

    @property
    def is_up(self) -> bool:
        """Whether its processes are there, paused or not."""
        return self.status in ("running", "paused")


class Sut:
    """One container under test, published on the loopback address, or on that of the engine's machine."""

    def __init__(self, image: str, profile: Profile, run: Run, *, launch: Launch | None = None) -> None:
        """Prepare a container of `image`; nothing is started yet."""
        self.image = image
        self.profile = profile
        self.launch = launch or default_launch(profile)
        self._run = run
        self.port = self.launch.port or profile.container.port
        self._container: Container | None = None
        self._address = Machine().address_of_containers
        self.started_s = 0.0  # monotonic

    @property
    def container(self) -> Container:
        """Docker's own handle, for what faults do to it."""
        if self._container is None:
            msg = f"the container of {self.image!r} was not started"
            raise CannotStart(msg)
        return self._container

    @property
    def is_created(self) -> bool:
        """Whether there is a container, whatever became of it."""
        return self._container is not None

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.container.name)

    @property
    def url(self) -> str:
        """The base URL; the port changes with each start."""
        return self.url_at(self.port)

    def url_at(self, port: int) -> str:
        """Return the base URL of a port in the container: the one it is told to listen on, or the profile's."""
        self.container.reload()
        bindings = self.container.ports.get(f"{port}/tcp") or []
        if not bindings:
            msg = f"container {self.name} of {self.image!r} publishes no port {port}: {self.story()}"
            raise SutLost(msg)
        return f"http://{self._address}:{bindings[0]['HostPort']}"

    def start(self) -> Sut:
        """Create and start the container; raise `CannotStart` where Docker will not, `SutLost` for the image's sake."""
        recipe = DockerContainer(self.image).with_command(list(self.launch.arguments))
        recipe.env.update(self.profile.container.environment)
        recipe.env.update(self.launch.environment)
        # The profile's port too: a container that was told another one and listens there nevertheless can be told.
        both = {self.port, self.profile.container.port, *self.launch.ports}
        recipe.ports = dict.fromkeys(both, (self._address, None))  # type: ignore[arg-type]  # Docker takes an address too
        for there, here in self.profile.container.mounts.items():
            recipe.with_volume_mapping(here, there, "ro")
        for here, there in self.launch.volumes.items():
            recipe.with_volume_mapping(here, there, "ro")
        options = dict(self.launch.options)
        recipe.tmpfs = options.pop("tmpfs", {})  # an argument of its own to Testcontainers, which would come twice
        mounts = [Mount(target=folder, source=None, type="volume") for folder in self.launch.kept]
        recipe.with_kwargs(labels=dict(self._run.labels), mounts=mounts, **options)
        try:
            recipe.start()
        except (docker.errors.APIError, docker.errors.ImageNotFound) as error:
            why = str(error.explanation or error)
            kind = SutLost if failed_start.is_of_image(why) else CannotStart
            raise kind(failed_start.refused(self, why)) from error
        self._container = recipe.get_wrapped_container()
        self.started_s = time.monotonic()
        return self

    def start_again(self) -> None:
        """Start the same container once more, as whoever operates it would; `CannotStart` where Docker will not."""
        try:
            self.container.start()
        except docker.errors.APIError as error:
            msg = f"container {self.name} of {self.image!r} cannot be started again: {error.explanation or error}"
            raise CannotStart(msg) from error
        self.started_s = time.monotonic()

    def wait_ready(
        self, *, budget_s: float | None = None, below: str = "", meanwhile: Callable[[], None] = lambda: None
    ) -> float:
        """Wait until a ping is 200 and return the seconds since the start; raise `SutLost` as soon as it died.

        `below` is a path under which the routes lie, where they do not lie at the root; what `meanwhile` raises ends
        the wait. Raises `NeverReady`, and `ImageForeign` where the engine's machine cannot run the image.
        """
        budget_s = self.profile.container.ready_s if budget_s is None else budget_s
        last = "no answer"
        failure: NoAnswer | None = None

        def look() -> float | None:
            nonlocal last, failure
            meanwhile()
            try:
                self.ensure_up()
                client = Client(self.url + below, self.profile)
            except SutLost as lost:
                raise SutLost(failed_start.ended(self)) from lost
            try:
                status = client.ping().answer.status
            except NoAnswer as error:
                last, failure = str(error), error
            else:
                last, failure = f"{status} to a ping", None
                if status == 200:  # noqa: PLR2004 - HTTP's own number
                    return time.monotonic() - self.started_s
            finally:
                client.close()
            return None

        try:
            return wait_for(look, subject=f"{self.image} to be ready", budget_s=budget_s, last_seen=lambda: last)
        except WaitedInVain as error:
            why = failed_start.silent(self, last) if budget_s else ""
            msg = "\n".join(filter(None, (why, str(error), self.story())))
            raise NeverReady(msg, failure) from error

    def state(self) -> State:
        """Ask Docker how the container is."""
        self.container.reload()
        raw = self.container.attrs["State"]
        return State(
            status=raw["Status"],
            exit_code=raw["ExitCode"],
            oom_killed=raw["OOMKilled"],
            restarts=self.container.attrs.get("RestartCount", 0),
            started_at=raw["StartedAt"],
        )

    def limit(self, **limits: int) -> None:
        """Set limits of the container while it runs, by the names of Docker's API: its client knows not all of them."""
        engine = docker.from_env()
        try:
            url = f"{engine.api.base_url}/v{engine.api.api_version}/containers/{self.container.id}/update"
            answer = engine.api.post(url, json=limits, timeout=LIMIT_S)
        finally:
            engine.close()
        if not answer.ok:
            msg = f"Docker does not set {limits} on {self.name}: {answer.text.strip()}"
            raise LimitRefused(msg)

    def limit_memory(self, limit_mb: int) -> None:
        """Set how much memory it may hold while it runs, without swap; raise `LimitRefused` where it holds more."""
        try:
            self.container.update(mem_limit=f"{limit_mb}m", memswap_limit=f"{limit_mb}m")
        except docker.errors.APIError as error:
            msg = f"Docker does not set {limit_mb} MiB on {self.name}: {error.explanation or error}"
            raise LimitRefused(msg) from error

    def ensure_up(self) -> None:
        """Raise `SutLost` where the container is not there any more."""
        if not self.state().is_up:
            raise SutLost(self.story())

    def is_there(self) -> bool:
        """Whether the container is up; False too where it was removed."""
        try:
            return self.state().is_up
        except docker.errors.NotFound:
            return False

    def wait_exited(self, *, budget_s: float) -> State:
        """Wait until the container has exited and return its state."""

        def look() -> State | None:
            state = self.state()
            return None if state.is_up else state

        return wait_for(look, subject=f"{self.name} to exit", budget_s=budget_s, pause_s=0.02)

    def memory_kills(self, *, since_at: float) -> int:
        """Return how often the kernel killed one of its processes for want of memory since a moment of Unix time.

        Docker's flag speaks of the first process alone; its events speak of all.
        """
        engine = docker.from_env()
        try:
            wanted = {"container": self.name, "event": "oom"}
            events = engine.events(since=int(since_at), until=int(time.time()), filters=wanted, decode=True)
            return sum(1 for _ in events)
        finally:
            engine.close()

    def logs(self, *, lines: int = LOG_LINES) -> str:
        """Return the last log lines, standard output and error together."""
        return self.container.logs(tail=lines).decode("utf-8", "replace")

    def story(self) -> str:
        """Say in a few lines how the container is and what it logged last."""
        if not self.is_created:
            return f"no container of {self.image!r} was started"
        try:
            state, logged = self.state(), self.logs().rstrip()
        except docker.errors.APIError as error:
            return f"the container of {self.image!r} cannot be looked at: {error.explanation or error}"
        cause = " (out of memory)" if state.oom_killed else ""
        head = f"container {self.name} of {self.image!r} is {state.status}, exit code {state.exit_code}{cause}"
        return f"{head}; last log lines:\n{logged or '(none)'}"

    def remove(self) -> None:
        """Remove the container, running or not; a container that is gone is fine."""
        if self._container is not None:
            with contextlib.suppress(docker.errors.NotFound):
                self._container.remove(force=True, v=True)


def default_launch(profile: Profile) -> Launch:
    """Return the launch that the profile describes, within the memory that it grants."""
    memory = f"{profile.chaos.memory_mb}m"
    return Launch(arguments=profile.container.arguments, options={"mem_limit": memory, "memswap_limit": memory})
