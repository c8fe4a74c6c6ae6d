"""Where containers come from: started with Docker, or run by somebody else; both are ready when handed over."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.contract.judge import OK
from harness.system.client import Client, NoAnswer
from harness.system.container import CannotStart, Sut, SutLost
from harness.system.waiting import WaitedInVain, wait_for

if TYPE_CHECKING:
    from harness.contract.profile import Profile
    from harness.release.endpoint.config import AnyVariant
    from harness.system.guard import Run


class CannotServe(Exception):  # noqa: N818 - named by what happened
    """A variant's container cannot be started, or does not become ready; the message carries its last log lines."""


class Instance(Protocol):
    """A container that was ready when it was handed over."""

    @property
    def name(self) -> str:
        """What it is called, for whoever looks for its log."""

    @property
    def url(self) -> str:
        """Its base URL."""

    def is_there(self) -> bool:
        """Whether it may still answer; False where it has exited."""

    def leave(self) -> None:
        """Remove it."""


class Supply(Protocol):
    """Whatever hands over containers."""

    def instance(self, variant: AnyVariant) -> Instance:
        """Return one that is ready; raise `CannotServe` where none becomes so."""

    def close(self) -> None:
        """Hand over no more, and let nobody wait any longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contained:
    """A container of ours; its port stays the same, since it is never started again."""

    sut: Sut
    name: str
    url: str

    def is_there(self) -> bool:
        """Whether it may still answer; False where it has exited."""
        return self.sut.is_there()

    def leave(self) -> None:
        """Remove it."""
        self.sut.remove()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A container that somebody else runs: it is asked, and never touched."""

    url: str

    @property
    def name(self) -> str:
        """Its URL: it has no other name here."""
        return self.url

    def is_there(self) -> bool:
        """Only its pings can tell."""
        return True

    def leave(self) -> None:
        """Leave it as it is."""


class ContainerSupply:
    """Starts containers of images, and waits for those at a URL; may be asked by several threads at once."""

    def __init__(self, profile: Profile, run: Run | None) -> None:
        """Take what containers promise, and the run that owns them; without a run there are none of images."""
        self._profile = profile
        self._run = run
        self._closed = threading.Event()

    def instance(self, variant: AnyVariant) -> Instance:
        """Return one that is ready; raise `CannotServe` where none becomes so within the profile's time."""
        return self._standing(variant.url) if variant.url else self._contained(variant.image)

    def close(self) -> None:
        """Hand over no more, and let nobody wait any longer."""
        self._closed.set()

    def _contained(self, image: str) -> Contained:
        if self._run is None:
            msg = f"{image}: this endpoint starts no containers"
            raise CannotServe(msg)
        sut = Sut(image, self._profile, self._run)
        try:
            sut.start().wait_ready(meanwhile=self._ensure_open)
            return Contained(sut=sut, name=sut.name, url=sut.url)
        except (CannotStart, SutLost, WaitedInVain, CannotServe) as error:
            sut.remove()
            raise CannotServe(str(error)) from error
        except BaseException:
            sut.remove()
            raise

    def _ensure_open(self) -> None:
        if self._closed.is_set():
            msg = "the endpoint goes down"
            raise CannotServe(msg)

    def _standing(self, url: str) -> Standing:
        """Wait for a ping of 200 from a container that somebody else runs."""
        url = url.rstrip("/")
        client, last = Client(url, self._profile), "no answer"

        def look() -> bool | None:
            nonlocal last
            self._ensure_open()
            with suppress(NoAnswer):
                last = f"{client.ping().answer.status} to a ping"
                return True if last.startswith(str(OK)) else None
            return None

        budget_s = self._profile.container.ready_s
        try:
            wait_for(look, subject=f"{url} to be ready", budget_s=budget_s, last_seen=lambda: last)
        except WaitedInVain as error:
            raise CannotServe(str(error)) from error
        finally:
            client.close()
        return Standing(url=url)
