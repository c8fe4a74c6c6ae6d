"""Judge a long measurement from its laps: each by itself, all together, and whether anything grows. Pure."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.contract.judge import OK, Violation
from harness.contract.verdict import Verdict
from harness.experiment.leaks import growths, leaks, slope_of
from harness.load.figures import Figures, exact
from harness.load.finding import Finding, LoadJudgement, finding_of, unknown
from harness.load.judge import judge_latency, judge_load
from harness.load.share import Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.experiment.leaks import Growth, Sample
    from harness.load.finding import Subject
    from harness.load.record import LoadRecord

# A lap in which our own side failed does not count; with more than this share of them the whole cannot be told.
_SPOILED_MOST = 0.05
# The median may grow by so small a share of the budget over the whole time.
_GROWTH_SHARE = 0.05
# A line is laid through so many points at least.
LAPS_LEAST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """One lap, from `begin_s` to `end_s`, judged by itself; `memory_bytes` is what the largest generator held."""

    number: int
    begin_s: float
    end_s: float
    judgement: LoadJudgement
    memory_bytes: int

    @property
    def middle_s(self) -> float:
        """The moment that stands for the lap."""
        return (self.begin_s + self.end_s) / 2

    @property
    def counts(self) -> bool:
        """Whether our own side was well."""
        return not self.judgement.spoiled


@dataclass(slots=True)
class Soak:
    """The laps so far; of the attempts only the latencies are kept, 8 bytes each."""

    profile: Profile
    laps: list[Lap] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    _latencies_s: array[float] = field(default_factory=lambda: array("d"), init=False)

    @property
    def sent(self) -> int:
        """How many requests with a body were judged so far."""
        each = (lap.judgement.figures for lap in self.laps)
        return sum(sum(figures.outcomes.values()) + sum(figures.broken.values()) for figures in each)

    def add(self, record: LoadRecord) -> Lap:
        """Judge the next lap and keep its figures."""
        lap = Lap(
            number=len(self.laps) + 1,
            begin_s=record.begin_s,
            end_s=record.end_s,
            judgement=judge_load(record, self.profile),
            memory_bytes=max((one.memory_bytes for one in record.generators), default=0),
        )
        self.laps.append(lap)
        self._latencies_s.extend(one.latency_s for one in record.of_kind("invocation") if one.status == OK)
        return lap

    def judgement(self) -> LoadJudgement:
        """Judge all laps together."""
        whole, spoiled = _figures(self.laps, self._latencies_s), _spoiled(self.laps)
        over = _over_budget([lap for lap in self.laps if lap.counts or spoiled])
        subjects = [subject for subject in self.laps[0].judgement.findings if subject != "latency"]
        findings = (
            judge_latency(over, whole.latencies, self.profile, spoiled),
            *(_together(subject, self.laps) for subject in subjects),
            _growth(self.laps, self.profile),
            *([_leaks(self.samples, self.profile)] if self.samples else []),
        )
        by_subject = {finding.subject: finding for finding in findings}
        return LoadJudgement(findings=by_subject, spoiled=spoiled, over_budget=over, figures=whole)


def _spoiled(laps: Sequence[Lap]) -> tuple[str, ...]:
    bad = [lap for lap in laps if not lap.counts]
    if len(bad) <= _SPOILED_MOST * len(laps):
        return ()
    return (f"{len(bad)} of {len(laps)} laps do not count; in lap {bad[0].number}: {bad[0].judgement.spoiled[0]}",)


def _over_budget(laps: Sequence[Lap]) -> Share:
    shares = [lap.judgement.over_budget for lap in laps]
    return Share(hits=sum(share.hits for share in shares), of=sum(share.of for share in shares))


def _together(subject: Subject, laps: Sequence[Lap]) -> Finding:
    """Merge what the laps came to: one that failed fails the whole; a few that could not tell are forgiven."""
    found = {lap.number: lap.judgement.findings[subject] for lap in laps}
    failed = [number for number, finding in found.items() if finding.verdict is Verdict.FAILED]
    if failed:
        where = f"; in {len(failed)} of {len(laps)} laps, first in lap {failed[0]}"
        first = found[failed[0]].violations
        return finding_of(subject, [replace(violation, actual=violation.actual + where) for violation in first])
    dark = [finding.reason for finding in found.values() if finding.verdict is Verdict.UNKNOWN]
    if len(dark) > _SPOILED_MOST * len(laps):
        return unknown(subject, [f"{len(dark)} of {len(laps)} laps could not tell: {dark[0]}"])
    return finding_of(subject, [])


def _growth(laps: Sequence[Lap], profile: Profile) -> Finding:
    """Judge whether the median grows over the whole time, with the slope's interval."""
    points = [(lap.middle_s, lap.judgement.figures.latencies.p50_s) for lap in laps if lap.counts]
    points = [(middle_s, p50_s) for middle_s, p50_s in points if not math.isnan(p50_s)]
    if len(points) < LAPS_LEAST:
        return unknown("growth", [f"{len(points)} laps are too few to tell: it takes {LAPS_LEAST}"])
    length_s, slope = laps[-1].end_s - laps[0].begin_s, slope_of(points)
    limit_s = _GROWTH_SHARE * profile.http.budget_s
    low_s, middle_s, high_s = (each * length_s for each in (slope.low, slope.estimate, slope.high))
    told = f"it grew by {middle_s * 1000:.1f} ms (95 %: {low_s * 1000:.1f} to {high_s * 1000:.1f} ms)"
    if low_s > limit_s:
        expected = f"a median latency that grows by less than {limit_s * 1000:g} ms in {length_s:g} s"
        return finding_of("growth", [Violation(rule="P7", expected=expected, actual=told)])
    return unknown("growth", [f"the median may grow: {told}"]) if high_s > limit_s else finding_of("growth", [])


def _leaks(samples: Sequence[Sample], profile: Profile) -> Finding:
    """C15: judge memory and open files over the requests of the whole time."""
    if len(samples) < LAPS_LEAST:
        return unknown("leaks", [f"the container was looked at {len(samples)} times: it takes {LAPS_LEAST}"])
    found: list[Growth] = growths(samples, profile)
    doubtful = [str(growth) for growth in found if growth.is_doubtful]
    broken = leaks(found)
    return unknown("leaks", doubtful) if doubtful and not broken else finding_of("leaks", broken)


def _figures(laps: Sequence[Lap], latencies_s: Sequence[float]) -> Figures:
    each = [lap.judgement.figures for lap in laps]
    length_s = laps[-1].end_s - laps[0].begin_s
    weights = [(lap.end_s - lap.begin_s) / length_s for lap in laps]
    return Figures(
        latencies=exact(latencies_s),
        warm_up=each[0].warm_up,
        outcomes=dict(sum((Counter(one.outcomes) for one in each), Counter())),
        broken=dict(sum((Counter(one.broken) for one in each), Counter())),
        offered_per_s=sum(one.offered_per_s * weight for one, weight in zip(each, weights, strict=True)),
        achieved_per_s=sum(one.achieved_per_s * weight for one, weight in zip(each, weights, strict=True)),
        lag_p99_s=max(one.lag_p99_s for one in each),
        cpu_share=max(one.cpu_share for one in each),
        gc_longest_s=max(one.gc_longest_s for one in each),
    )
