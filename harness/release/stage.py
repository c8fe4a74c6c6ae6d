"""Where contestants come from: a fresh container of an image for each side of each run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.faults.memory import held_bytes
from harness.system.client import Client
from harness.system.container import Sut, SutLost
from harness.system.waiting import WaitedInVain

if TYPE_CHECKING:
    from harness.contract.profile import Profile
    from harness.release.duel import Door
    from harness.system.guard import Run


class NotServing(Exception):  # noqa: N818 - named by what happened
    """A container never became ready, or died; the message carries its last log lines."""


class Contestant(Protocol):
    """A container that serves; `ready_s` is how long it took to become ready."""

    @property
    def ready_s(self) -> float:
        """Seconds from its start to a ping of 200."""

    @property
    def door(self) -> Door:
        """Where it is asked."""

    def held_bytes(self) -> int:
        """Return how much memory it holds; raise `NotServing` where it is gone."""

    def leave(self) -> None:
        """Remove it."""


class Stage(Protocol):
    """Whatever starts contestants."""

    def enter(self, image: str) -> Contestant:
        """Start a fresh container of an image; raise `NotServing` where it does not become ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contained:
    """One container on Docker's stage."""

    sut: Sut
    ready_s: float
    door: Client

    def held_bytes(self) -> int:
        """Return how much memory it holds; raise `NotServing` where it is gone."""
        try:
            self.sut.ensure_up()
            return held_bytes(self.sut)
        except SutLost as error:
            raise NotServing(str(error)) from error
        except KeyError as error:
            # It was up a moment ago: Docker has no figures of it because it ended.
            raise NotServing(self.sut.story()) from error

    def leave(self) -> None:
        """Remove it."""
        self.door.close()
        self.sut.remove()


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerStage:
    """Docker on this machine, or wherever its engine runs."""

    profile: Profile
    run: Run

    def enter(self, image: str) -> Contained:
        """Start a fresh container of an image; raise `NotServing` where it does not become ready."""
        sut = Sut(image, self.profile, self.run)
        try:
            ready_s = sut.start().wait_ready()
            return Contained(sut=sut, ready_s=ready_s, door=Client(sut.url, self.profile))
        except (SutLost, WaitedInVain) as error:
            sut.remove()
            raise NotServing(str(error)) from error
