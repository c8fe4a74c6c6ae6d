"""The seam that every fault fills: inject, show that it took, revert, show that it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from harness.contract.profile import Profile
    from harness.faults.attempt import Attempt
    from harness.system.container import Launch, State, Sut


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the contract expects of a container while a fault lasts, and the rules that say so; times in seconds.

    `exit_codes` empty: any. `drains`: what was half sent when the fault struck must be answered, and connections opened
    more than `refuses_after_s` later must not. `undisturbed`: clients that do nothing wrong must not notice the fault,
    by `notice_rule` (by R1 an answer may come late); nor its end, where it is `seamless`. `brief_s`: where the fault
    lasted longer, it does not matter who noticed. `patience_s`: clients give up after so long. `ends_process`: it ends
    one process of several itself.
    `may_shed`: more comes than can be served, so a 503 is an answer, where it says when to come again.
    `may_lag`: it has too little to compute with, so an answer may come late, and a 503 is one.
    `far_within_s`: clients ask over a bad network that loses nothing, and have a right answer within so many seconds.
    """

    exits: Literal["must", "may", "never"]
    exit_rule: str = "C18"
    exit_codes: tuple[int, ...] = ()
    exit_within_s: float | None = None
    drains: bool = False
    refuses_after_s: float = 2.0
    undisturbed: bool = False
    notice_rule: str = "C14"
    seamless: bool = False
    brief_s: float | None = None
    patience_s: float | None = None
    ends_process: bool = False
    may_shed: bool = False
    may_lag: bool = False
    far_within_s: float | None = None
    recovery_rule: str = "C17"


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """That a fault was injected: at what moment of the monotonic clock, and what it sent to the sut itself."""

    at_s: float
    attempts: tuple[Attempt, ...] = ()


class Fault(Protocol):
    """One cause of trouble; a value that keeps nothing outside this process, so that any process can revert it.

    `hold_s` is how long it lasts after it took; a fault that ends the container lasts no longer than the container.
    """

    @property
    def name(self) -> str:
        """The name of the fault, and of its record."""

    @property
    def hold_s(self) -> float:
        """How long the fault lasts once it took, in seconds."""

    @property
    def leaves_trace(self) -> bool:
        """Whether the container is another one after it: started anew, or with other limits."""

    @property
    def expects(self) -> Expectation:
        """What the contract expects of the container meanwhile."""

    def inject(self, sut: Sut) -> Struck:
        """Do the harm; raises what Docker raises."""

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Return what shows that the fault took, or None; `before` is how the container was."""

    def revert(self, sut: Sut) -> None:
        """Undo the harm, as often as it is called."""

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Return what shows that the fault is gone, or None."""

    def mend(self, sut: Sut) -> str:
        """Return the shell command that undoes the harm where `revert` could not."""


@runtime_checkable
class Choosy(Protocol):
    """A fault that not every container can meet."""

    def why_not(self, sut: Sut) -> str | None:
        """Return why the experiment does not apply to a container that was started; None where it does."""


@runtime_checkable
class Asking(Protocol):
    """A fault whose own clients ask the sut while it lasts, and get answers that are judged."""

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What they sent and what became of it; whole once the fault is reverted."""


@runtime_checkable
class Loud(Protocol):
    """A fault that may keep the whole machine busy, so that no other experiment can be measured beside it."""

    @property
    def is_loud(self) -> bool:
        """Whether it does."""


@runtime_checkable
class Fitted(Protocol):
    """A fault whose container has to be started in a way of its own."""

    def launch(self, profile: Profile) -> Launch:
        """Return how; raise `OutOfReach` where this machine has not what it takes."""
