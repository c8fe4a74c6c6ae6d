"""Leave the container next to no processor for a while, as a crowded host does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.faults.fault import Expectation, Struck
from harness.system.cgroup import group_of
from harness.system.processes import OutOfReach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import State, Sut

# Of each period the container may compute for its quota, on all cores together.
_PERIOD_US = 100_000
_UNLIMITED = -1

_EXPECTS = Expectation(exits="never", may_lag=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scarce:
    """A share of one core for `hold_s` seconds; answers may come late meanwhile."""

    share: float
    hold_s: float
    name: str = "cpu"
    leaves_trace: bool = False
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del series
        return cls(share=profile.chaos.scarce_cpu_share, hold_s=profile.chaos.shortage_s)

    def inject(self, sut: Sut) -> Struck:
        """Set the quota."""
        at_s = time.monotonic()
        sut.limit(CpuPeriod=_PERIOD_US, CpuQuota=round(self.share * _PERIOD_US))
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show the share that is in force."""
        del before
        share = _share(sut)
        return None if share is None else f"{share:.1%} of a core"

    def revert(self, sut: Sut) -> None:
        """Lift the quota."""
        sut.limit(CpuQuota=_UNLIMITED)

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that there is no quota."""
        del before
        return f"no quota, {sut.state().status}" if _share(sut) is None else None

    def mend(self, sut: Sut) -> str:
        """Return the command that lifts the quota."""
        return f"docker update --cpu-quota {_UNLIMITED} {sut.name}"


def _share(sut: Sut) -> float | None:
    """Return the share of a core that the kernel grants; where this machine does not show it, that which Docker set."""
    try:
        return group_of(sut, "cpu").cpu_share
    except (OutOfReach, OSError):
        sut.container.reload()
        quota_us = int(sut.container.attrs["HostConfig"]["CpuQuota"] or 0)
        return quota_us / _PERIOD_US if quota_us > 0 else None
