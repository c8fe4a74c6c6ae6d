"""The figures of a measurement: exact latencies, rates, outcomes, and how the generator kept up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.judge import OK
from harness.load.share import percentile

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from harness.load.record import Attempt, LoadRecord

_REFUSALS = range(400, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """Exact latencies of the answers that were 200, in seconds from the due moment; NaN where there was none."""

    count: int
    p50_s: float
    p90_s: float
    p99_s: float
    p999_s: float
    longest_s: float
    first_s: float

    def __str__(self) -> str:
        told = {
            "p50": self.p50_s,
            "p90": self.p90_s,
            "p99": self.p99_s,
            "p99.9": self.p999_s,
            "longest": self.longest_s,
            "the first": self.first_s,
        }
        return f"{self.count} answers, " + ", ".join(f"{name} {value * 1000:.2f} ms" for name, value in told.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured; rates are requests a second, `cpu_share` is the part of one core of the busiest generator.

    `broken` is what became of the requests that were broken on purpose.
    """

    latencies: Latencies
    warm_up: Latencies
    outcomes: Mapping[str, int]
    broken: Mapping[str, int]
    offered_per_s: float
    achieved_per_s: float
    lag_p99_s: float
    cpu_share: float
    gc_longest_s: float

    def __str__(self) -> str:
        return (
            f"offered {self.offered_per_s:.1f}/s, answered {self.achieved_per_s:.1f}/s: {_counted(self.outcomes)}\n"
            f"broken on purpose: {_counted(self.broken)}\n"
            f"latency: {self.latencies}\n"
            f"warm-up, not counted: {self.warm_up}\n"
            f"generator: lag p99 {self.lag_p99_s * 1000:.1f} ms, {self.cpu_share:.0%} of a core, "
            f"longest garbage collection {self.gc_longest_s * 1000:.1f} ms"
        )


def _counted(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "none"


def figures(record: LoadRecord, wrong: Collection[int]) -> Figures:
    """Return the figures of a record; `wrong` are the `id`s of the attempts whose answer was wrong."""
    invocations, broken = record.of_kind("invocation"), record.of_kind("broken")
    return Figures(
        latencies=latencies_of(invocations),
        warm_up=latencies_of(record.of_kind("invocation", warm_up=True)),
        outcomes=dict(Counter("wrong answer" if id(one) in wrong else kind_of(one) for one in invocations)),
        broken=dict(Counter("wrong answer" if id(one) in wrong else "refused" for one in broken)),
        offered_per_s=(len(invocations) + len(broken)) / record.counted_s,
        achieved_per_s=_achieved([*invocations, *broken], record),
        lag_p99_s=lag_p99_s(record),
        cpu_share=cpu_share(record),
        gc_longest_s=max((one.gc_longest_s for one in record.generators), default=0.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """A stretch, in seconds of the schedule, in which the generator came to nothing that was due."""

    begin_s: float
    end_s: float

    def covers_connecting(self, attempt: Attempt) -> bool:
        """Whether a connection was being made meanwhile: how long that took is then ours."""
        begin_s = attempt.started_s or 0.0
        return begin_s <= self.end_s and self.begin_s <= begin_s + (attempt.connect_s or 0.0)


def stalls_of(record: LoadRecord) -> list[Stall]:
    """Return when the generator stood still: from what was due until it came to it, where that was late."""
    most_s = record.plan.limits.lag_p99_s
    return [
        Stall(begin_s=one.due_s, end_s=one.started_s)
        for one in record.attempts
        if one.started_s is not None and one.started_s - one.due_s > most_s
    ]


def latencies_of(invocations: Sequence[Attempt]) -> Latencies:
    """Return the latencies of those that were answered with 200."""
    return exact([one.latency_s for one in invocations if one.status == OK])


def exact(latencies_s: Sequence[float]) -> Latencies:
    """Return the figures of latencies, in the order of their due moments."""
    ordered = sorted(latencies_s)
    return Latencies(
        count=len(ordered),
        p50_s=percentile(ordered, 0.5),
        p90_s=percentile(ordered, 0.9),
        p99_s=percentile(ordered, 0.99),
        p999_s=percentile(ordered, 0.999),
        longest_s=percentile(ordered, 1.0),
        first_s=percentile(latencies_s[:1], 1.0),
    )


def _achieved(sent: Sequence[Attempt], record: LoadRecord) -> float:
    """Return how many a second were served, answered or rightly refused, within the measured time."""
    return sum(is_served(one) and one.ended_s <= record.end_s for one in sent) / record.counted_s


def is_served(attempt: Attempt) -> bool:
    """Whether a request got what it is there for: an answer, or a refusal where it was broken on purpose."""
    return attempt.status in _REFUSALS if attempt.kind == "broken" else attempt.status == OK


def lag_p99_s(record: LoadRecord) -> float:
    """Return the p99 of how much later than due a generator itself came to a request that counts."""
    counted = (one for one in record.attempts if not one.warm_up)
    lags = [one.started_s - one.due_s for one in counted if one.started_s is not None]
    return percentile(sorted(lags), 0.99) if lags else 0.0


def cpu_share(record: LoadRecord) -> float:
    """Return what the busiest generator used of one core while it sent."""
    return max((one.cpu_share for one in record.generators), default=0.0)


def kind_of(attempt: Attempt) -> str:
    """Name how an attempt ended: its status, or how it failed."""
    return attempt.outcome if attempt.status is None else f"status {attempt.status}"
