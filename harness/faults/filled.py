"""Fill the container's memory from outside until the kernel kills a process of it, and keep it full for a while."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from harness.faults.fault import Expectation, Struck
from harness.faults.memory import MIB
from harness.system.cgroup import group_of
from harness.system.container import SutLost
from harness.system.hog import Hog, why_not_fill
from harness.system.processes import OutOfReach, processes_of
from harness.system.waiting import WaitedInVain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import State, Sut

# The machine itself must not run short of memory: what the kernel kills then is anybody's.
_LEFT_FOR_THE_MACHINE_MB = 256

_EXPECTS = Expectation(exits="may", may_lag=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A process of ours among the container's, that holds what memory they do not, for `hold_s` seconds at most."""

    name: str = "memory_filled"
    # As with `memory_shrunk`: the oldest container is the one to which the memory is charged that all of them share.
    leaves_trace: bool = True
    hold_s: float = 8.0
    expects: Expectation = _EXPECTS
    hog: Hog = field(default_factory=Hog, compare=False, repr=False)

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del profile, series
        return cls()

    def why_not(self, sut: Sut) -> str | None:
        """Say why its memory cannot be filled."""
        try:
            sut.wait_ready()
            group, largest = group_of(sut, "memory"), max(process.memory_bytes for process in processes_of(sut))
        except OutOfReach as error:
            return str(error)
        except (SutLost, WaitedInVain):
            return None  # it never got ready: the experiment will say so
        limit_bytes = group.memory_limit_bytes
        if limit_bytes is None:
            return f"{sut.name} has no limit of memory to fill"
        if (reason := why_not_fill(group, largest_bytes=largest)) is not None:
            return f"the memory of {sut.name} cannot be filled: {reason}"
        spare_mb = available_mb() - limit_bytes // MIB
        if spare_mb < _LEFT_FOR_THE_MACHINE_MB:
            return f"{limit_bytes // MIB} MiB to fill would leave the machine {max(spare_mb, 0)} MiB"
        return None

    def inject(self, sut: Sut) -> Struck:
        """Let the process in; it takes all that is left within a few seconds."""
        group = group_of(sut, "memory")
        at_s = time.monotonic()
        self.hog.enter(group)
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show what the kernel killed: one process or more, or the whole container."""
        state = sut.state()
        if not state.is_up or state.started_at != before.started_at:
            cause = ", out of memory" if state.oom_killed else ""
            return f"{state.status}, exit code {state.exit_code}{cause}"
        kills = self.hog.kills()
        return f"the kernel killed {kills} of its processes, {state.status}" if kills else None

    def revert(self, sut: Sut) -> None:
        """Send the process away, and start the same container again where it is down."""
        self.hog.leave()
        if not sut.state().is_up:
            sut.start_again()

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that the process is gone, and whether the container went on or was started anew."""
        state = sut.state()
        how = "went on" if state.started_at == before.started_at else "started anew"
        return f"memory is free again, {how}, {state.status}" if not self.hog.pid else None

    def mend(self, sut: Sut) -> str:
        """Return the commands that end the process and start the container."""
        end = f"kill -9 {self.hog.pid}; " if self.hog.pid else ""
        return f"{end}docker start {sut.name}"


def available_mb(meminfo: Path = Path("/proc/meminfo")) -> int:
    """Return how much memory this machine could give to new processes, in MiB."""
    rows = (row.split() for row in meminfo.read_text(encoding="ascii").splitlines())
    return next(int(row[1]) // 1024 for row in rows if row[0] == "MemAvailable:")
