"""Kill one process of the container that is not its first, as the kernel does when memory is short."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.faults.fault import Expectation, Struck
from harness.system.container import SutLost
from harness.system.processes import OutOfReach, Process, processes_of
from harness.system.waiting import WaitedInVain, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import State, Sut

_DEATH_BUDGET_S = 5.0
# The container may give up, and be started again; what it may not is live on without serving.
_EXPECTS = Expectation(exits="may", ends_process=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """SIGKILL for the process that holds the most memory, the first one apart.

    For `hold_s` seconds at most the container may make up its mind: it serves again by itself, or it exits.
    """

    name: str = "worker"
    leaves_trace: bool = False
    hold_s: float = 15.0
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del profile, series
        return cls()

    def why_not(self, sut: Sut) -> str | None:
        """Say why there is no process to kill."""
        try:
            sut.wait_ready()
            return None if _others(sut) else f"{sut.image} runs as one process: there is no other to kill"
        except OutOfReach as error:
            return str(error)
        except (SutLost, WaitedInVain):
            return None  # it never got ready: the experiment will say so

    def inject(self, sut: Sut) -> Struck:
        """Kill the process and wait for its end."""
        victim = max(_others(sut), key=lambda process: process.memory_bytes)
        at_s = time.monotonic()
        os.kill(victim.pid, signal.SIGKILL)
        wait_for(
            lambda: victim.has_ended or None,
            subject=f"process {victim.pid} of {sut.name} to end",
            budget_s=_DEATH_BUDGET_S,
        )
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Say how the container is: the process is dead, and may have been replaced already."""
        del before
        return f"a process was killed, the container is {sut.state().status}"

    def revert(self, sut: Sut) -> None:
        """Start the same container again where it is down; what else there is to do is its own affair."""
        if not sut.state().is_up:
            sut.start_again()

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show whether the container went on or was started anew."""
        state = sut.state()
        return f"{'went on' if state.started_at == before.started_at else 'started anew'}, {state.status}"

    def mend(self, sut: Sut) -> str:
        """Return the command that starts it."""
        return f"docker start {sut.name}"


def _others(sut: Sut) -> list[Process]:
    return [process for process in processes_of(sut) if not process.is_first and not process.has_ended]
