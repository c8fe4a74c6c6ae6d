"""Which of two forecasts errs less, and by how much, as far as a sample can tell? Pure, on arrays [n] over time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.audit.student_t import critical, two_sided_p

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Series = NDArray[np.float64]

CONFIDENCE = 0.95
# Politis and Romano (1992): blocks of neighbours, on a circle, keep what neighbours have in common.
_BLOCK = 20
_DRAWS = 1_000
_LEAST = 3
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean over time with the bounds of its interval, in the unit of what was averaged."""

    value: float
    low: float
    high: float

    @property
    def is_off_zero(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DieboldMariano:
    """The test of equal accuracy: `statistic` is below 0 where the first forecast errs less; `p` is two-sided."""

    statistic: float
    p: float

    @property
    def first_is_worse(self) -> bool:
        """Whether the first forecast errs more, at 5 %."""
        return self.p < 1 - CONFIDENCE and self.statistic > 0

    @property
    def first_is_better(self) -> bool:
        """Whether the first forecast errs less, at 5 %."""
        return self.p < 1 - CONFIDENCE and self.statistic < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One root mean square error over another, with the bounds of its bootstrap interval."""

    value: float
    low: float
    high: float


def lags_of(n: int) -> int:
    """Return how many lags count for `n` observations: 4 (n/100)^(2/9), rounded down (Newey and West, 1994)."""
    return int(4 * (n / 100) ** (2 / 9))


def long_run_variance(values: Series, lags: int) -> float:
    """Return the variance of sqrt(n) times the mean: Bartlett's weights keep it from falling below 0 (1987)."""
    centred, n = values - values.mean(), len(values)
    total = float(centred @ centred) / n
    for lag in range(1, min(lags, n - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag]) / n
    return max(total, 0.0)


def mean_of(values: Series, *, confidence: float = CONFIDENCE) -> Mean:
    """Return the mean with an interval that holds under autocorrelation and changing variance."""
    n, value = len(values), float(values.mean())
    half = critical(confidence, n - 1) * math.sqrt(long_run_variance(values, lags_of(n)) / n)
    return Mean(value=value, low=value - half, high=value + half)


def diebold_mariano(first: Series, second: Series, *, horizon: int = 1) -> DieboldMariano:
    """Compare two forecasts' losses of the same moments.

    Diebold and Mariano (1995), with the small-sample correction of Harvey, Leybourne and Newbold (1997) and their
    t distribution; the variance is Newey and West's, since at one step too losses come in clusters.
    Losses that never differ, or of fewer than three moments, tell nothing: p is 1.
    """
    difference, n = first - second, len(first)
    # Two ways to reckon one forecast differ in the last digits, and by those they must not be told apart.
    if n < _LEAST or np.abs(difference).max() <= _ROUNDING * max(first.max(), second.max()):
        return DieboldMariano(statistic=0.0, p=1.0)
    variance = long_run_variance(difference, max(horizon - 1, lags_of(n))) / n
    if not variance:
        return DieboldMariano(statistic=math.copysign(math.inf, difference.mean()), p=0.0)
    correction = max((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n, 0.0)
    statistic = float(difference.mean()) / math.sqrt(variance) * math.sqrt(correction)
    return DieboldMariano(statistic=statistic, p=two_sided_p(statistic, n - 1))


def rmse_ratio(first: Series, second: Series) -> Ratio:
    """Return how large the first errors are beside the second ones; the interval is a circular block bootstrap's.

    Where the second forecast never errs there is nothing to compare with: infinite, or 1 where neither does.
    """
    ours, theirs = np.square(first), np.square(second)
    if not theirs.any():
        value = math.inf if ours.any() else 1.0
        return Ratio(value=value, low=value, high=value)
    of_ours, of_theirs = _block_sums(ours), _block_sums(theirs)
    n = len(ours)
    starts = np.random.default_rng(1).integers(0, n, size=(_DRAWS, math.ceil(n / _BLOCK)))
    above, below = of_ours[starts].sum(axis=1), of_theirs[starts].sum(axis=1)
    ratios = np.sqrt(np.divide(above, below, out=np.full(_DRAWS, np.inf), where=below > 0))
    low, high = np.quantile(ratios, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], method="nearest")
    return Ratio(value=math.sqrt(float(ours.sum() / theirs.sum())), low=float(low), high=float(high))


def _block_sums(values: Series) -> Series:
    """Return the sum of each block of neighbours, by its first; the last ones go on at the beginning."""
    sums: Series = np.cumsum(np.concatenate([[0.0], np.resize(values, len(values) + _BLOCK)]))
    return sums[_BLOCK : _BLOCK + len(values)] - sums[: len(values)]
