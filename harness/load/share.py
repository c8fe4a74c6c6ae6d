"""A share as a statistic: exact one-sided bounds (Clopper-Pearson), and what is still needed; percentiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HALVINGS = 60
_NEGLIGIBLE = 1e-17
_MOST = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`hits` of `of`, and the bounds below and above which the true share lies, each with `confidence`."""

    hits: int
    of: int
    confidence: float = 0.95

    @property
    def observed(self) -> float:
        """The plain fraction; 0 of nothing."""
        return self.hits / self.of if self.of else 0.0

    @property
    def upper(self) -> float:
        """The share that is exceeded only with probability 1 - confidence."""
        if self.hits >= self.of:
            return 1.0
        doubt = 1 - self.confidence
        return _root(lambda p: _at_most(self.hits, self.of, p) - doubt, low=self.observed, high=1.0)

    @property
    def lower(self) -> float:
        """The share that is undercut only with probability 1 - confidence."""
        if self.hits == 0:
            return 0.0
        mirrored = Share(hits=self.of - self.hits, of=self.of, confidence=self.confidence)
        return 1 - mirrored.upper

    def is_within(self, limit: float) -> bool | None:
        """Whether the true share keeps a limit; None where the sample is too small to tell."""
        if self.upper <= limit:
            return True
        return False if self.lower > limit else None

    def more_needed(self, limit: float) -> int | None:
        """How many more would decide if the observed share stayed; None where no number that we would send does."""
        if not self.of or self.observed == limit:
            return None if self.of else self._scaled_up_to(limit, Share(hits=0, of=1, confidence=self.confidence))
        return self._scaled_up_to(limit, self)

    def _scaled_up_to(self, limit: float, sample: Share) -> int | None:
        decided = sample.of
        while sample._at(decided).is_within(limit) is None:
            decided *= 2
            if decided > _MOST:
                return None
        undecided = decided // 2
        while decided - undecided > 1:
            middle = (undecided + decided) // 2
            is_decided = sample._at(middle).is_within(limit) is not None
            undecided, decided = (undecided, middle) if is_decided else (middle, decided)
        return max(decided - self.of, 0)

    def _at(self, of: int) -> Share:
        return Share(hits=math.ceil(self.observed * of - 1e-9), of=of, confidence=self.confidence)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile of sorted values: one that was measured. NaN of nothing."""
    if not ordered:
        return math.nan
    return ordered[max(math.ceil(share * len(ordered) - 1e-9), 1) - 1]


def _at_most(hits: int, of: int, p: float) -> float:
    """Return P(X <= hits) of a binomial where p >= hits / of: its terms then fall from the last one downwards."""
    if not 0 < p < 1:
        return 1.0 if p <= 0 else 0.0
    logs = math.lgamma(of + 1) - math.lgamma(hits + 1) - math.lgamma(of - hits + 1)
    total = term = 1.0
    for index in range(hits, 0, -1):
        term *= index / (of - index + 1) * (1 - p) / p
        total += term
        if term < _NEGLIGIBLE * total:
            break
    return math.exp(logs + hits * math.log(p) + (of - hits) * math.log1p(-p)) * total


def _root(falling: Callable[[float], float], *, low: float, high: float) -> float:
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return high
