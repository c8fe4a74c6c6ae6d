"""The highest rate that keeps the budget: a ramp that doubles until a step fails, then bisection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.judge import OK
from harness.contract.verdict import Verdict
from harness.load.share import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.load.finding import LoadJudgement
    from harness.load.record import Attempt, LoadRecord

# A step is over its rate where so small a part of it was answered in time.
_KEPT_UP_SHARE = 0.98
# A queue grows where the last third waits so much longer than the first, in seconds and as a factor.
_GROWTH_S, _GROWTH = 0.05, 2.0
_REQUESTS_LEAST = 600
# A step is stable where its last two thirds wait about as long, in seconds or as a factor.
_STEADY_S, _STEADY = 0.005, 1.25
# What is not stable is measured again, so many times as long; what our own side spoiled is no better for more of it.
_TIMES, _TIMES_SPOILED = (1, 2, 4), 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rate that was tried; rates are requests a second. UNKNOWN: the generator could not tell."""

    rate_per_s: float
    verdict: Verdict
    why: str
    p99_s: float
    achieved_per_s: float
    length_s: float = 0.0
    is_steady: bool = True
    is_spoiled: bool = False

    def __str__(self) -> str:
        found = f"p99 {self.p99_s * 1000:.0f} ms, {self.achieved_per_s:.1f}/s served over {self.length_s:.0f} s"
        return f"{self.rate_per_s:7.1f}/s {self.verdict.value:8} {found}{'; ' if self.why else ''}{self.why}"

    @property
    def is_stable(self) -> bool:
        """Whether a longer step would come to the same."""
        return self.verdict is Verdict.FAILED or (self.verdict is Verdict.PASSED and self.is_steady)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staircase:
    """The steps of a search, and the highest rate that was kept; None where not even the first was."""

    steps: tuple[Step, ...]
    highest_per_s: float | None
    reason: str


def search(
    try_rate: Callable[[float], Step], *, start_per_s: float, most_per_s: float, precision: float = 0.1
) -> Staircase:
    """Double the rate from `start_per_s` until a step fails or `most_per_s` is kept, then bisect to `precision`.

    A step that cannot be judged ends the search upwards: the generator, not the sut, is the limit there.
    """
    steps: list[Step] = []
    kept, broken, rate = None, None, min(start_per_s, most_per_s)
    while broken is None and (kept is None or kept < most_per_s):
        steps.append(try_rate(rate))
        kept, broken = (rate, None) if steps[-1].verdict is Verdict.PASSED else (kept, rate)
        rate = min(2 * rate, most_per_s)
    while kept is not None and broken is not None and broken - kept > precision * kept:
        middle = (kept + broken) / 2
        steps.append(try_rate(middle))
        kept, broken = (middle, broken) if steps[-1].verdict is Verdict.PASSED else (kept, middle)
    return Staircase(steps=tuple(steps), highest_per_s=kept, reason=_reason(steps, kept, most_per_s))


def length_s(rate_per_s: float, *, least_s: float) -> float:
    """Return how long a step lasts, in seconds: long enough for a claim about its p99."""
    return max(least_s, _REQUESTS_LEAST / rate_per_s)


def settled(measured: Callable[[float], Step], *, least_s: float) -> Step:
    """Measure a step for `least_s` seconds, and longer until it is stable; the last is what counts."""
    step = measured(least_s)
    for times in _TIMES[1:]:
        if step.is_stable or (step.is_spoiled and times > _TIMES_SPOILED):
            break
        step = measured(least_s * times)
    return step


def step_of(record: LoadRecord, judgement: LoadJudgement) -> Step:
    """Judge one step: p99 within the budget, with confidence; no errors; what is offered is answered; no queue."""
    invocations = record.of_kind("invocation")
    verdict, why = _verdict(invocations, judgement)
    return Step(
        rate_per_s=record.plan.rate_per_s,
        verdict=verdict,
        why=why,
        p99_s=judgement.figures.latencies.p99_s,
        achieved_per_s=judgement.figures.achieved_per_s,
        length_s=record.counted_s,
        is_steady=_is_steady(invocations),
        is_spoiled=bool(judgement.spoiled),
    )


def _verdict(invocations: Sequence[Attempt], judgement: LoadJudgement) -> tuple[Verdict, str]:
    offered, achieved = judgement.figures.offered_per_s, judgement.figures.achieved_per_s
    for finding in (judgement.findings["errors"], judgement.findings["latency"]):
        if finding.verdict is not Verdict.PASSED:
            return finding.verdict, finding.reason or finding.violations[0].actual
    if achieved < _KEPT_UP_SHARE * offered:
        return Verdict.FAILED, f"{achieved:.1f} of {offered:.1f} requests/s were answered in time"
    growth = _growth(invocations)
    return (Verdict.FAILED, growth) if growth else (Verdict.PASSED, "")


def _growth(invocations: Sequence[Attempt]) -> str:
    first_s, _, last_s = _thirds(invocations)
    if last_s - first_s > _GROWTH_S and last_s > _GROWTH * first_s:
        return f"the queue grows: median {first_s:.3f} s in the first third, {last_s:.3f} s in the last"
    return ""


def _is_steady(invocations: Sequence[Attempt]) -> bool:
    _, middle_s, last_s = _thirds(invocations)
    return abs(last_s - middle_s) <= max(_STEADY_S, (_STEADY - 1) * middle_s)


def _thirds(invocations: Sequence[Attempt]) -> tuple[float, float, float]:
    """Return the medians of the first, the second and the last third of what was answered; 0 of nothing."""
    answered = [one.latency_s for one in invocations if one.status == OK]
    third = len(answered) // 3
    parts = (answered[:third], answered[third:-third], answered[-third:]) if third else ([0.0], [0.0], [0.0])
    first_s, middle_s, last_s = (percentile(sorted(part), 0.5) for part in parts)
    return first_s, middle_s, last_s


def _reason(steps: Sequence[Step], kept: float | None, most_per_s: float) -> str:
    unknown = next((step for step in steps if step.verdict is Verdict.UNKNOWN), None)
    if unknown is not None:
        return f"at {unknown.rate_per_s:g}/s it could not be told: {unknown.why}"
    if kept is not None and kept >= most_per_s:
        return f"no more than {most_per_s:g}/s was asked for"
    failed = [step for step in steps if step.verdict is Verdict.FAILED]
    return f"at {failed[-1].rate_per_s:g}/s: {failed[-1].why}" if failed else ""
