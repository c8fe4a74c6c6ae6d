"""Let the container begin no process and no thread for a while; those that it has go on."""

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

# Any container has more: so it may begin none, and the kernel ends none for it.
_LEAST = 1
_UNLIMITED = -1

# Many a runtime ends its process where it gets no thread: it may be started again, as after a lack of memory.
_EXPECTS = Expectation(exits="may")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoThreads:
    """A limit of one process or thread, for `hold_s` seconds."""

    hold_s: float
    name: str = "pids"
    leaves_trace: bool = False
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del series
        return cls(hold_s=profile.chaos.shortage_s)

    def inject(self, sut: Sut) -> Struck:
        """Set the limit."""
        at_s = time.monotonic()
        sut.limit(PidsLimit=_LEAST)
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show the limit that is in force."""
        del before
        limit = _limit(sut)
        return None if limit is None else f"no thread beyond {limit}, {sut.state().status}"

    def revert(self, sut: Sut) -> None:
        """Lift the limit, and start the same container again where it is down."""
        sut.limit(PidsLimit=_UNLIMITED)
        if not sut.state().is_up:
            sut.start_again()

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that there is no limit."""
        del before
        return f"no limit, {sut.state().status}" if _limit(sut) is None else None

    def mend(self, sut: Sut) -> str:
        """Return the commands that lift the limit."""
        return f"docker update --pids-limit {_UNLIMITED} {sut.name} && docker start {sut.name}"


def _limit(sut: Sut) -> int | None:
    """Return the limit that the kernel has; where this machine does not show it, the one that Docker set."""
    try:
        return group_of(sut, "pids").pids_limit
    except (OutOfReach, OSError):
        sut.container.reload()
        limit = int(sut.container.attrs["HostConfig"]["PidsLimit"] or 0)
        return limit if limit > 0 else None
