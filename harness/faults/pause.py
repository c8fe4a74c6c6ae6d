"""Freeze every process of the container, as a live migration or a starved host does, and let it go on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.faults.fault import Expectation, Struck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import State, Sut

_EXPECTS = Expectation(exits="never")
# An abandoned pause lasts so long beyond the patience of the clients.
_ABANDONED_S = 2.0
# Docker takes its time to freeze and to thaw: a brief pause that lasts so many times as long is not brief.
_STILL_BRIEF = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause of `hold_s` seconds."""

    hold_s: float
    name: str = "pause"
    leaves_trace: bool = False
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del series
        return cls(hold_s=profile.chaos.pause_s)

    @classmethod
    def brief(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make one that ends well within the budget of an answer: what is asked meanwhile is answered after it."""
        del series
        hold_s = profile.chaos.brief_pause_s
        expects = Expectation(exits="never", undisturbed=True, notice_rule="R1", brief_s=_STILL_BRIEF * hold_s)
        return cls(hold_s=hold_s, name="pause_brief", expects=expects)

    @classmethod
    def abandoned(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make one that outlasts its clients: what they asked waits for nobody when it ends."""
        del series
        patience_s = profile.chaos.patience_s
        expects = Expectation(exits="never", patience_s=patience_s)
        return cls(hold_s=patience_s + _ABANDONED_S, name="pause_abandoned", expects=expects)

    def inject(self, sut: Sut) -> Struck:
        """Freeze the container."""
        at_s = time.monotonic()
        sut.container.pause()
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that the container is paused."""
        del before
        status = sut.state().status
        return status if status == "paused" else None

    def revert(self, sut: Sut) -> None:
        """Let the container go on where it is paused."""
        if sut.state().status == "paused":
            sut.container.unpause()

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that the container is not paused any more."""
        del before
        status = sut.state().status
        return status if status != "paused" else None

    def mend(self, sut: Sut) -> str:
        """Return the command that lets it go on."""
        return f"docker unpause {sut.name}"
