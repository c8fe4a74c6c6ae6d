"""Let the container open no further file and accept no further connection for a while."""

from __future__ import annotations

import contextlib
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from harness.faults.fault import Expectation, Struck
from harness.system.processes import OutOfReach, processes_of
from harness.system.waiting import sleep_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import State, Sut
    from harness.system.processes import Process

# Connections come and go: the lowest of so many looks is that of the idle process.
_LOOKS, _LOOKS_PAUSE_S = 5, 0.02
# The kernel refuses to poll more files than may be open, and what begins with three has those three to poll.
_LEAST = 3
# A process that may open so many more is not short of them.
_PLENTY = 64

# Many a server ends where it can accept nothing: it may be started again, as after a lack of memory.
_EXPECTS = Expectation(exits="may")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoFiles:
    """As many open files for each process as it holds when idle, for `hold_s` seconds; afterwards all that it may."""

    hold_s: float
    name: str = "open_files"
    leaves_trace: bool = True
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del series
        return cls(hold_s=profile.chaos.shortage_s)

    def why_not(self, sut: Sut) -> str | None:
        """Say why its limits cannot be changed."""
        if not sut.state().is_up:
            return None  # the experiment will say so
        try:
            for process in processes_of(sut):
                _set_limit(process, _limit(process)[0])
        except OutOfReach as error:
            return str(error)
        except PermissionError:
            return f"the limits of {sut.name} are not ours to change: it takes root on the machine of Docker"
        return None

    def inject(self, sut: Sut) -> Struck:
        """Lower the limit of every process."""
        processes = processes_of(sut)
        looks = []
        for _ in range(_LOOKS):
            looks.append([_first_free(process) for process in processes])
            sleep_until(time.monotonic() + _LOOKS_PAUSE_S)
        at_s = time.monotonic()
        for process, numbers in zip(processes, zip(*looks, strict=True), strict=True):
            _set_limit(process, min(numbers))
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show the limits."""
        if not sut.state().is_up or sut.state().started_at != before.started_at:
            return "the container is down"
        limits = [_limit(process)[0] for process in processes_of(sut) if _is_short(process)]
        return f"open files at most: {limits}" if limits else None

    def revert(self, sut: Sut) -> None:
        """Raise the limits as far as they go, and start the same container again where it is down."""
        if not sut.state().is_up:
            sut.start_again()
            return
        for process in processes_of(sut):
            _set_limit(process, _limit(process)[1])

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that no process is short of files."""
        state = sut.state()
        if not state.is_up or state.started_at != before.started_at:
            return f"started anew, {state.status}"
        return None if any(_is_short(process) for process in processes_of(sut)) else "no process is short of files"

    def mend(self, sut: Sut) -> str:
        """Return the command that gives new processes their own limits."""
        return f"docker restart {sut.name}"


def _first_free(process: Process) -> int:
    """Return the lowest number that its next open file would have."""
    numbers = {int(path.name) for path in Path(f"/proc/{process.pid}/fd").glob("*")}
    return max(_LEAST, next(number for number in range(len(numbers) + 1) if number not in numbers))


def _is_short(process: Process) -> bool:
    soft, hard = _limit(process)
    return soft < hard and soft < _first_free(process) + _PLENTY


def _limit(process: Process) -> tuple[int, int]:
    """Return how many open files a process may have now, and how many it may allow itself; none where it has ended."""
    with contextlib.suppress(ProcessLookupError):
        return resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    return 0, 0


def _set_limit(process: Process, soft: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (soft, _limit(process)[1]))
