"""The least memory that holds the load: a container for each step, bisected between what holds and what does not."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.experiment.journal import measure_of
from harness.experiment.probe import classify
from harness.experiment.prober import Prober
from harness.experiment.record import tally
from harness.experiment.steadiness import is_well
from harness.system.container import CannotStart, Launch, Sut, SutLost
from harness.system.waiting import WaitedInVain, sleep_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.experiment.record import Probe
    from harness.system.guard import Run

_LOAD_S = 5.0
# Bisection ends where what holds and what does not lie so near to each other, as a share of what holds.
_PRECISION = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One size that was tried; `why_not` is empty where it held the load."""

    memory_mb: int
    why_not: str = ""
    ready_s: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it held the load."""
        return not self.why_not

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.memory_mb:6} MiB  " + (
            f"holds, ready after {self.ready_s:.1f} s" if self.holds else self.why_not
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The steps of a search and its result; None: not even the most that was tried holds the load."""

    steps: tuple[Step, ...]
    least_mb: int | None

    def __str__(self) -> str:
        """Say it in a line."""
        if self.least_mb is None:
            return f"not even {self.steps[0].memory_mb} MiB hold the load: {self.steps[0].why_not}"
        short = max((step.memory_mb for step in self.steps if not step.holds), default=None)
        than = "less was not tried" if short is None else f"{short} MiB do not"
        return f"the least memory that holds the load: {self.least_mb} MiB; {than}"


def search(try_size: Callable[[int], Step], *, low_mb: int, high_mb: int) -> Found:
    """Try the most, then the least, then bisect between them."""
    steps = [try_size(high_mb)]
    if not steps[0].holds:
        return Found(steps=tuple(steps), least_mb=None)
    steps.append(try_size(low_mb))
    holds_mb, short_mb = (low_mb, low_mb) if steps[1].holds else (high_mb, low_mb)
    while holds_mb - short_mb > max(1.0, _PRECISION * holds_mb):
        middle_mb = (holds_mb + short_mb) // 2
        steps.append(try_size(middle_mb))
        holds_mb, short_mb = (middle_mb, short_mb) if steps[-1].holds else (holds_mb, middle_mb)
    return Found(steps=tuple(steps), least_mb=holds_mb)


def try_memory(image: str, profile: Profile, series: Sequence[Second], run: Run, memory_mb: int) -> Step:
    """Start a container with so much memory and no swap, load it, and say whether it held."""
    limit, began_at = f"{memory_mb}m", time.time()
    options = {"mem_limit": limit, "memswap_limit": limit}
    sut = Sut(image, profile, run, launch=Launch(arguments=profile.container.arguments, options=options))
    try:
        sut.start()
        ready_s = _ready_s(sut, began_at)
        probes = _load(sut, profile, series)
        sut.ensure_up()
        why_not = "; ".join(filter(None, (_killed(sut, began_at), _why_not(probes, profile))))
        return Step(memory_mb=memory_mb, why_not=why_not and f"under load: {why_not}", ready_s=ready_s)
    except SutLost as lost:
        return Step(memory_mb=memory_mb, why_not=_death(sut) if sut.is_created else str(lost))
    except (_Short, WaitedInVain, CannotStart) as failure:
        # The kernel may kill the very first process, before Docker calls the container started.
        if isinstance(failure, CannotStart) and "memory" not in str(failure).lower():
            raise
        return Step(memory_mb=memory_mb, why_not=str(failure).splitlines()[0])
    finally:
        sut.remove()


class _Short(Exception):  # noqa: N818 - named by what happened
    """The kernel killed a process of the container before that was ready."""


def _ready_s(sut: Sut, began_at: float) -> float:
    """Wait until it is ready, but no longer than until the kernel kills the first of its processes."""

    def ensure_spared() -> None:
        if killed := _killed(sut, began_at):
            msg = f"before it was ready: {killed}"
            raise _Short(msg)

    return sut.wait_ready(meanwhile=ensure_spared)


def _killed(sut: Sut, began_at: float) -> str:
    kills = sut.memory_kills(since_at=began_at)
    return f"the kernel killed {kills} of its processes" if kills else ""


def _death(sut: Sut) -> str:
    state = sut.state()
    if state.oom_killed:
        return f"it {state.status} with code {state.exit_code}, out of memory"
    return f"it {state.status} with code {state.exit_code}; its last line: {sut.logs(lines=1).strip() or '(none)'}"


def _load(sut: Sut, profile: Profile, series: Sequence[Second]) -> list[Probe]:
    """Send at the profile's rate; what was sent while it warmed up does not count."""
    load = profile.load
    paced = replace(profile, chaos=replace(profile.chaos, probe_rate_per_s=load.rate_per_s))
    prober, began_s = Prober(sut.url, paced, series), time.monotonic()
    with prober:
        sleep_until(began_s + load.warm_up_s + _LOAD_S)
    prober.ensure_whole()
    probes = [classify(attempt, profile, origin_s=began_s) for attempt in prober.attempts()]
    return [probe for probe in probes if probe.asked in ("good", "ping") and probe.sent_s >= load.warm_up_s]


def _why_not(probes: Sequence[Probe], profile: Profile) -> str:
    """Say what went wrong under load: any failure, or more late answers than the profile grants."""
    failed = [probe for probe in probes if probe.outcome != "right"]
    if failed or not probes:
        return tally(probes)
    late = [probe for probe in probes if not is_well(probe, measure_of(profile))]
    return f"{len(late)} of {len(probes)} answers late" if _too_many(late, probes, profile) else ""


def _too_many(late: Sequence[Probe], probes: Sequence[Probe], profile: Profile) -> bool:
    return len(late) > profile.load.over_budget_share * len(probes)
