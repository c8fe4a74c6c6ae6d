"""Send the container a signal; where that ends it, it comes back when the same container is started again."""

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

FATAL = "SIGKILL"
KILLED = Expectation(exits="must", exit_rule="C17")
# The contract speaks of no other signal but SIGTERM: it may end the container or not, but leave no zombie.
_EXPECTS_OF_OTHERS = Expectation(exits="may")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A signal, SIGKILL by default; the container has `hold_s` seconds at most to make up its mind, or stays down."""

    signal: str = FATAL
    name: str = "kill"
    leaves_trace: bool = True
    hold_s: float = 10.0
    expects: Expectation = KILLED

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del profile, series
        return cls()

    @classmethod
    def by(cls, signal: str) -> Self:
        """Make the fault of another signal, which bears the signal's name."""
        return cls(signal=signal, name=signal.lower(), expects=_EXPECTS_OF_OTHERS)

    def inject(self, sut: Sut) -> Struck:
        """Send the signal to the container's first process."""
        at_s = time.monotonic()
        sut.container.kill(signal=self.signal)
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that the container is down; of a signal that need not end it, Docker can show no more than the order."""
        del before
        state = sut.state()
        if self.expects.exits == "may":
            return f"{self.signal} delivered, {state.status}"
        return None if state.is_up else f"{state.status} with exit code {state.exit_code}"

    def revert(self, sut: Sut) -> None:
        """Start the same container again where it is down."""
        if not sut.state().is_up:
            sut.start_again()

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that the container was started anew, whatever became of it since."""
        state = sut.state()
        if self.expects.exits == "may" and state.started_at == before.started_at:
            return f"went on, {state.status}"
        return f"started anew, {state.status}" if state.started_at != before.started_at else None

    def mend(self, sut: Sut) -> str:
        """Return the command that starts it."""
        return f"docker start {sut.name}"
