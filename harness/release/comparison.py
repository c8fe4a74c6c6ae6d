"""A comparison as its judges see it: the match, the noise floor, what is promised, and what is measured with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.contract.verdict import Verdict
from harness.release.yardstick import Hits

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.release.estimate import Estimate
    from harness.release.record import Header
    from harness.release.sample import Flags, Sample
    from harness.release.yardstick import Yardstick

# Difference, two losses, latency, over budget, errors: what chance alone might reject.
TESTS = 6
_MOST = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two samples under one promise.

    To be promoted a challenger must pass every judge, so each may use the whole of `alpha` (intersection-union, Berger
    1982); any one of them rejects it, so each gets its part (Bonferroni).
    """

    match: Sample
    floor: Sample
    header: Header
    yardstick: Yardstick

    @property
    def alpha(self) -> float:
        """The chance that a bound does not hold."""
        return self.header.release.alpha

    @property
    def alpha_each(self) -> float:
        """The chance that one judge rejects a challenger that is no worse."""
        return self.alpha / TESTS

    def of_the_floor(self) -> Comparison:
        """Return the champion's comparison with itself."""
        return replace(self, match=self.floor)

    def verdict(self, found: Estimate, *, limit: float, none: float, slack: float = 0.0) -> Verdict:
        """FAILED where it is surely more than `none` and lies over the limit; PASSED where it is surely within.

        `slack` is what the champion differs from itself by.
        """
        if found.p < self.alpha_each and found.value > max(limit, none) + slack:
            return Verdict.FAILED
        return Verdict.PASSED if found.high <= limit else Verdict.UNKNOWN

    def more_windows(self, found: Estimate, *, limit: float, none: float) -> int | None:
        """Return how many more would decide if the estimate stayed; None where no number that we would send does."""
        deviation = found.half / self.yardstick.width(found.of, alpha=self.alpha)

        def is_decided(of: int) -> bool:
            is_within = found.value + deviation * self.yardstick.width(of, alpha=self.alpha) <= limit
            off = deviation * self.yardstick.width(of, alpha=self.alpha_each)
            return is_within or (found.value > limit and found.value - off > none)

        return _first(is_decided, after=found.of)

    def verdict_on(self, hits: Hits, *, limit: float) -> Verdict:
        """FAILED where the challenger surely hits more often; PASSED where its share is surely within the limit."""
        if self.yardstick.more_p(hits) < self.alpha_each:
            return Verdict.FAILED
        is_within = self.yardstick.upper(hits.ours, hits.of, alpha=self.alpha) <= limit
        return Verdict.PASSED if is_within else Verdict.UNKNOWN

    def more_pairs(self, hits: Hits, *, limit: float) -> int | None:
        """Return how many more pairs would decide if the shares stayed; None where none that we would send do."""
        sample = hits if hits.of else Hits(ours=0, others=0, both=0, of=1)

        def is_decided(of: int) -> bool:
            return self.verdict_on(sample.at(of), limit=limit) is not Verdict.UNKNOWN

        found = _first(is_decided, after=sample.of)
        return None if found is None else found + sample.of - hits.of


def hits_of(ours: Flags, others: Flags) -> Hits:
    """Count hits, [n], paired."""
    return Hits(ours=int(ours.sum()), others=int(others.sum()), both=int((ours & others).sum()), of=len(ours))


def _first(is_decided: Callable[[int], bool], *, after: int) -> int | None:
    """Return how far beyond `after` the first number lies that decides, where all larger ones do."""
    undecided, decided = after, 2 * after
    while not is_decided(decided):
        undecided, decided = decided, 2 * decided
        if decided > _MOST:
            return None
    while decided - undecided > max(undecided // 100, 1):
        middle = (undecided + decided) // 2
        undecided, decided = (undecided, middle) if is_decided(middle) else (middle, decided)
    return decided - after
