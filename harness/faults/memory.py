"""Start the container with too little memory for what it holds, until the kernel kills it; then give it back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from harness.faults.fault import Expectation, Struck
from harness.system.container import CannotStart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import State, Sut

MIB = 1024 * 1024
# Docker grants no container less.
_LEAST_MB = 6
_KILL_BUDGET_S = 10.0

_EXPECTS = Expectation(exits="may")


@dataclass(frozen=True, slots=True, kw_only=True)
class Starve:
    """A share of the memory that the container's processes hold, and `limit_mb` at most.

    The limit is set while the container is down: with cgroups of version 1 the kernel refuses to take from a running
    container what it uses. Only anonymous memory counts, because the kernel can take back the rest.
    """

    limit_mb: int
    full_mb: int
    share: float = 0.5
    name: str = "memory"
    leaves_trace: bool = True
    hold_s: float = 5.0
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del series
        return cls(limit_mb=profile.chaos.starved_memory_mb, full_mb=profile.chaos.memory_mb)

    def inject(self, sut: Sut) -> Struck:
        """Take the container down and start it with too little memory."""
        starved_mb = self._starved_mb(sut)
        at_s = time.monotonic()
        _start_with(sut, starved_mb)
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show the limit that Docker set, and what became of the container."""
        state = sut.state()
        limit_mb = limit_mb_of(sut)
        if not 0 < limit_mb < self.full_mb or state.started_at == before.started_at:
            return None
        cause = ", out of memory" if state.oom_killed else ""
        return f"started with {limit_mb} MiB: {state.status}{cause}"

    def revert(self, sut: Sut) -> None:
        """Give the memory back, which takes a start of the container."""
        if limit_mb_of(sut) != self.full_mb or not sut.state().is_up:
            _start_with(sut, self.full_mb)

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that the container was started anew with its whole memory."""
        state = sut.state()
        whole = limit_mb_of(sut) == self.full_mb and state.started_at != before.started_at
        return f"started with {self.full_mb} MiB: {state.status}" if whole else None

    def mend(self, sut: Sut) -> str:
        """Return the commands that give the memory back."""
        whole = f"--memory {self.full_mb}m --memory-swap {self.full_mb}m"
        return f"docker kill {sut.name}; docker update {whole} {sut.name} && docker start {sut.name}"

    def _starved_mb(self, sut: Sut) -> int:
        return max(_LEAST_MB, min(self.limit_mb, int(self.share * held_bytes(sut) / MIB)))


def held_bytes(sut: Sut) -> int:
    """Return the anonymous memory of a running container in bytes, whichever version its cgroup has.

    What processes share, forked ones for instance, counts once.
    """
    # Of one look, where Docker would compare two by itself; a dict, because it is no stream.
    sample: Any = sut.container.stats(stream=False, one_shot=True)
    found = sample["memory_stats"].get("stats", {})
    return int(found["anon"] if "anon" in found else found["total_rss"])


def _start_with(sut: Sut, memory_mb: int) -> None:
    if sut.state().is_up:
        sut.container.kill()
        sut.wait_exited(budget_s=_KILL_BUDGET_S)
    sut.limit_memory(memory_mb)
    try:
        sut.start_again()
    except CannotStart as error:
        # The kernel may kill the very first process, before Docker calls the container started.
        if "memory" not in str(error).lower():
            raise


def limit_mb_of(sut: Sut) -> int:
    """Return the limit that Docker set, in MiB."""
    sut.container.reload()
    return int(sut.container.attrs["HostConfig"]["Memory"]) // MIB
