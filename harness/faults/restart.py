"""Restart the container, and tell it to stop while it still loads: it must exit in order all the same."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.faults.fault import Expectation, Struck
from harness.system.client import Client, NoAnswer
from harness.system.waiting import WaitedInVain, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import State, Sut

_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """A stop and a start, and SIGTERM as soon as the container answers a ping, with whatever status.

    Before that the signal would meet a process that cannot know of signals yet.
    """

    expects: Expectation
    name: str = "restart"
    leaves_trace: bool = True
    hold_s: float = 0.0

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del series
        stop_s = profile.container.stop_s
        return cls(
            expects=Expectation(
                exits="must", exit_rule="C12", exit_codes=(0,), exit_within_s=stop_s, recovery_rule="C4"
            )
        )

    def inject(self, sut: Sut) -> Struck:
        """Restart it, wait for the first answer, send the signal and wait for the exit."""
        stop_s = sut.profile.container.stop_s
        sut.container.stop(timeout=round(stop_s))
        sut.start_again()
        with contextlib.suppress(WaitedInVain):
            wait_for(
                lambda: _is_heard(sut) or None,
                subject=f"{sut.name} to answer a ping",
                budget_s=sut.profile.container.ready_s,
                pause_s=_POLL_S,
            )
        at_s = time.monotonic()
        if sut.state().is_up:
            sut.container.kill(signal="SIGTERM")
        with contextlib.suppress(WaitedInVain):
            sut.wait_exited(budget_s=stop_s)
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that it was started anew; Docker delivered the signal, and may have no more to show."""
        state = sut.state()
        if state.started_at == before.started_at:
            return None
        return f"started anew, SIGTERM delivered, {state.status}, exit code {state.exit_code}"

    def revert(self, sut: Sut) -> None:
        """Start the same container again, after killing it where it ignored the signal."""
        if sut.state().is_up:
            sut.container.kill()
            sut.wait_exited(budget_s=sut.profile.container.stop_s)
        sut.start_again()

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that the container was started anew."""
        state = sut.state()
        return f"started anew, {state.status}" if state.started_at != before.started_at else None

    def mend(self, sut: Sut) -> str:
        """Return the command that starts it."""
        return f"docker restart {sut.name}"


def _is_heard(sut: Sut) -> bool:
    """Whether it answers a ping at all, or will not any more."""
    if not sut.state().is_up:
        return True
    client = Client(sut.url, sut.profile)
    try:
        client.ping()
    except NoAnswer:
        return False
    finally:
        client.close()
    return True
