"""What is measured with: once, at a size fixed beforehand, or again and again until it is decided."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Protocol

from harness.audit.forecast_test import diebold_mariano, lags_of, long_run_variance, mean_of
from harness.load.share import Share
from harness.release.confidence_sequence import half_width, heads_p, mean_p, share_upper
from harness.release.estimate import Estimate
from harness.release.fisher import more_p
from harness.release.hodges_lehmann import shift_of

if TYPE_CHECKING:
    from harness.audit.forecast_test import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """How many of `of` pairs hit on our side, on the other side, and on both."""

    ours: int
    others: int
    both: int
    of: int

    def at(self, of: int) -> Hits:
        """Return what as many pairs would hold if the shares stayed."""
        return Hits(ours=self._at(self.ours, of), others=self._at(self.others, of), both=self._at(self.both, of), of=of)

    def _at(self, hits: int, of: int) -> int:
        return round(hits * of / self.of) if self.of else 0


class Yardstick(Protocol):
    """Intervals and tests that hold under one way to look."""

    @property
    def least(self) -> int:
        """Of fewer observations nothing is said."""

    def ratio(self, first: Series, second: Series, *, alpha: float) -> Estimate:
        """Return the mean of the first losses over that of the second ones, [n] in the order of time, paired."""

    def shift(self, differences: Series, *, alpha: float) -> Estimate:
        """Return by how much one of two paired measurements is larger, [n], in their unit."""

    def more_p(self, hits: Hits) -> float:
        """Return the p of "our side hits no more often than the other"."""

    def upper(self, hits: int, of: int, *, alpha: float) -> float:
        """Return the bound below which a share lies."""

    def width(self, n: int, *, alpha: float) -> float:
        """Return half the width of a mean's interval, in standard deviations: what it takes to plan a sample."""


def _linearised(first: Series, second: Series) -> tuple[float, Series]:
    """Return the ratio of two means, and what each observation adds to its error (delta method), [n], mean 0."""
    ratio = float(first.mean() / second.mean())
    return ratio, (first - ratio * second) / second.mean()


# Planning a sample asks for the same bounds again and again.
@lru_cache(maxsize=4_096)
def _exact_upper(hits: int, of: int, alpha: float) -> float:
    return Share(hits=hits, of=of, confidence=1 - alpha).upper


@dataclass(frozen=True, slots=True)
class Fixed:
    """One look, after all that was planned."""

    least: int = 30

    def ratio(self, first: Series, second: Series, *, alpha: float) -> Estimate:
        """Newey and West's variance for the interval; p is Diebold and Mariano's."""
        value, parts = _linearised(first, second)
        interval = mean_of(parts, confidence=1 - alpha)
        p = diebold_mariano(first, second).p
        return Estimate(value=value, low=value + interval.low, high=value + interval.high, p=p, of=len(parts))

    def shift(self, differences: Series, *, alpha: float) -> Estimate:
        """Hodges and Lehmann's."""
        return shift_of(differences, confidence=1 - alpha)

    def more_p(self, hits: Hits) -> float:
        """Fisher's."""
        return more_p(hits.ours, hits.of, hits.others, hits.of)

    def upper(self, hits: int, of: int, *, alpha: float) -> float:
        """Clopper and Pearson's."""
        return _exact_upper(hits, of, alpha) if of else 1.0

    def width(self, n: int, *, alpha: float) -> float:
        """Return the normal distribution's."""
        return NormalDist().inv_cdf(1 - alpha / 2) / math.sqrt(n)


@dataclass(frozen=True, slots=True)
class AlwaysValid:
    """As many looks as one likes: all that is said holds at every one of them together."""

    least: int = 100

    def ratio(self, first: Series, second: Series, *, alpha: float) -> Estimate:
        """Return the asymptotic confidence sequence of both means' ratio."""
        value, parts = _linearised(first, second)
        off = self._mean(parts, alpha=alpha)
        p = self._mean(first - second, alpha=alpha).p
        return Estimate(value=value, low=value + off.low, high=value + off.high, p=p, of=len(parts))

    def shift(self, differences: Series, *, alpha: float) -> Estimate:
        """Return the asymptotic confidence sequence of the mean."""
        return self._mean(differences, alpha=alpha)

    def more_p(self, hits: Hits) -> float:
        """Where one of a pair hits and the other does not, each is as likely to be the one: a fair coin."""
        return heads_p(hits.ours - hits.both, hits.others - hits.both)

    def upper(self, hits: int, of: int, *, alpha: float) -> float:
        """Return the exact mixture's."""
        return share_upper(hits, of, alpha=alpha) if of else 1.0

    def width(self, n: int, *, alpha: float) -> float:
        """Return the normal mixture's."""
        return float(half_width(n, alpha=alpha))

    def _mean(self, values: Series, *, alpha: float) -> Estimate:
        """Windows go out in random order, so what neighbours have in common counts once they are back in theirs."""
        n, value = len(values), float(values.mean())
        deviation = math.sqrt(max(float(values.var()), long_run_variance(values, lags_of(n))))
        half = deviation * self.width(n, alpha=alpha)
        z = value / deviation * math.sqrt(n) if deviation else math.copysign(math.inf, value) if value else 0.0
        p = 0.0 if math.isinf(z) else mean_p(z, n, alpha=alpha)
        return Estimate(value=value, low=value - half, high=value + half, p=p, of=n)
