"""The highest rate that keeps the budget: a ramp that doubles until a step fails, then bisection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.judge import OK
from harness.contract.verdict import Verdict
from harness.load.share import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.load.judge import LoadJudgement
    from harness.load.record import Attempt, LoadRecord

# A step is over its rate where so small a part of it was answered in time.
_KEPT_UP_SHARE = 0.98
# A queue grows where the last third waits so much longer than the first, in seconds and as a factor.
_GROWTH_S, _GROWTH = 0.05, 2.0
_REQUESTS_LEAST = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rate that was tried; rates are requests a second. UNKNOWN: the generator could not tell."""

    rate_per_s: float
    verdict: Verdict
    why: str
    p99_s: float
    achieved_per_s: float


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
    answered = [one for one in invocations if one.status == OK]
    third = len(answered) // 3
    first_s, last_s = (
        percentile(sorted(one.latency_s for one in part), 0.5) for part in (answered[:third], answered[-third:])
    )
    if third and last_s - first_s > _GROWTH_S and last_s > _GROWTH * first_s:
        return f"the queue grows: median {first_s:.3f} s in the first third, {last_s:.3f} s in the last"
    return ""


def _reason(steps: Sequence[Step], kept: float | None, most_per_s: float) -> str:
    unknown = next((step for step in steps if step.verdict is Verdict.UNKNOWN), None)
    if unknown is not None:
        return f"at {unknown.rate_per_s:g}/s it could not be told: {unknown.why}"
    if kept is not None and kept >= most_per_s:
        return f"no more than {most_per_s:g}/s was asked for"
    failed = [step for step in steps if step.verdict is Verdict.FAILED]
    return f"at {failed[-1].rate_per_s:g}/s: {failed[-1].why}" if failed else ""
