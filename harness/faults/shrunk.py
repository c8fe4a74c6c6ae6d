"""Take memory from the running container until it holds next to none that it does not use, and give it back."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.faults.fault import Expectation, Struck
from harness.faults.memory import MIB, held_bytes, limit_mb_of
from harness.system.cgroup import group_of
from harness.system.container import LimitRefused
from harness.system.processes import OutOfReach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import State, Sut

# Beyond what its processes hold: with cgroups of version 1 the kernel refuses less than what cannot be taken back, its
# own tables among it; version 2 takes the first, and takes back what it can or kills.
_SPARE_MB = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96)

_EXPECTS = Expectation(exits="may", may_lag=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrink:
    """The lowest limit that the kernel takes while the container runs, for `hold_s` seconds."""

    full_mb: int
    hold_s: float
    name: str = "memory_shrunk"
    # Not because of what it does to the container: what older ones share with it, such as the files of their programs
    # in memory, would be taken from all.
    leaves_trace: bool = True
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del series
        return cls(full_mb=profile.chaos.memory_mb, hold_s=profile.chaos.shortage_s)

    def inject(self, sut: Sut) -> Struck:
        """Try one limit after the other, from the lowest on."""
        held_mb = held_bytes(sut) // MIB
        at_s = time.monotonic()
        for limit_mb in (held_mb + spare_mb for spare_mb in _SPARE_MB):
            with contextlib.suppress(LimitRefused):
                sut.limit_memory(limit_mb)
                return Struck(at_s=at_s)
        msg = f"the kernel leaves {sut.name} all of its memory: no limit up to {held_mb + _SPARE_MB[-1]} MiB is taken"
        raise LimitRefused(msg)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show the limit that is in force."""
        del before
        limit_mb = _in_force_mb(sut)
        return f"{limit_mb} MiB of {self.full_mb} left, {sut.state().status}" if 0 < limit_mb < self.full_mb else None

    def revert(self, sut: Sut) -> None:
        """Give the memory back, and start the same container again where it is down."""
        sut.limit_memory(self.full_mb)
        if not sut.state().is_up:
            sut.start_again()

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that the whole memory is in force again."""
        state = sut.state()
        if _in_force_mb(sut) != self.full_mb:
            return None
        return f"{self.full_mb} MiB, {'went on' if state.started_at == before.started_at else 'started anew'}"

    def mend(self, sut: Sut) -> str:
        """Return the commands that give the memory back."""
        whole = f"--memory {self.full_mb}m --memory-swap {self.full_mb}m"
        return f"docker update {whole} {sut.name} && docker start {sut.name}"


def _in_force_mb(sut: Sut) -> int:
    """Return the limit that the kernel has; where this machine does not show it, the one that Docker set."""
    try:
        limit_bytes = group_of(sut, "memory").memory_limit_bytes
    except (OutOfReach, OSError):
        return limit_mb_of(sut)
    return 0 if limit_bytes is None else limit_bytes // MIB
