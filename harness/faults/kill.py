"""Kill the container with a signal; it comes back when the same container is started again."""

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

_EXPECTS = Expectation(exits="must", exit_rule="C17")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A signal, SIGKILL by default; the container stays down for `hold_s` seconds at most."""

    signal: str = "SIGKILL"
    name: str = "kill"
    leaves_trace: bool = True
    hold_s: float = 10.0
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del profile, series
        return cls()

    def inject(self, sut: Sut) -> Struck:
        """Send the signal to the container's first process."""
        at_s = time.monotonic()
        sut.container.kill(signal=self.signal)
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that the container is down."""
        del before
        state = sut.state()
        return None if state.is_up else f"{state.status} with exit code {state.exit_code}"

    def revert(self, sut: Sut) -> None:
        """Start the same container again where it is down."""
        if not sut.state().is_up:
            sut.start_again()

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that the container was started anew, whatever became of it since."""
        state = sut.state()
        return f"started anew, {state.status}" if state.started_at != before.started_at else None

    def mend(self, sut: Sut) -> str:
        """Return the command that starts it."""
        return f"docker start {sut.name}"
