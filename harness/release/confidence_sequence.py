"""Confidence sequences: intervals that hold at every sample size at once, so that one may look, and stop, at any time.

A mean's is the asymptotic one of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform central limit theory
and asymptotic confidence sequences", Annals of Statistics, 2024): a normal mixture (Robbins, 1970) with the variance
estimated. A share's and a coin's are exact mixtures of likelihood ratios under Ville's inequality, as in Johari,
Koomen, Pekelis and Walsh ("Always valid inference", Operations Research, 2022).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.audit.student_t import regularised_beta

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# The sequence is tightest at about so many observations; it holds at every number of them.
_TIGHTEST_AT = 500
_HALVINGS = 60


def half_width(n: ArrayLike, *, alpha: float) -> NDArray[np.float64]:
    """Return half the width for a mean of `n` observations, in standard deviations; `n` may be an array."""
    count = np.asarray(n, dtype=np.float64)
    spread = count * _mixing(alpha) + 1
    return np.asarray(np.sqrt(2 * spread / (count * (spread - 1)) * np.log(np.sqrt(spread) / alpha)))


def mean_p(z: float, n: int, *, alpha: float) -> float:
    """Return the always-valid p of a mean that lies `z` standard errors off zero.

    The mixture is the one that belongs to `alpha`: p falls below `alpha` just where its interval leaves zero out.
    """
    spread = n * _mixing(alpha) + 1
    return min(math.sqrt(spread) * math.exp(-(z * z) * (spread - 1) / (2 * spread)), 1.0)


def _mixing(alpha: float) -> float:
    """Return rho squared, by the paper's rule for the sequence that is tightest at a given time."""
    twice = -2 * math.log(alpha)
    return (twice + math.log(twice) + 1) / _TIGHTEST_AT


def heads_p(heads: int, tails: int) -> float:
    """Return the always-valid p of "heads are no likelier than tails" after these tosses of a coin.

    The likelihood ratio of a fair coin is averaged over all that favour heads, evenly.
    """
    tosses = heads + tails
    log = (tosses + 1) * math.log(2) + math.lgamma(heads + 1) + math.lgamma(tails + 1) - math.lgamma(tosses + 2)
    upper = regularised_beta(0.5, tails + 1, heads + 1)
    return min(math.exp(-log) / upper, 1.0) if upper else 1.0


def share_upper(hits: int, of: int, *, alpha: float) -> float:
    """Return the bound below which the share lies, at every sample size at once, but for a chance of `alpha`."""
    low, high = hits / of if of else 1.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _log_ratio(hits, of, middle) < -math.log(alpha):
            low = middle
        else:
            high = middle
    return high


def _log_ratio(hits: int, of: int, share: float) -> float:
    """Return the logarithm of the evidence against `share` or more: smaller ones, evenly weighted, over it."""
    if not 0 < share < 1:
        return math.inf if share >= 1 and hits < of else 0.0
    misses = of - hits
    tail = regularised_beta(share, hits + 1, misses + 1)
    if not tail:
        return 0.0
    log_beta = math.lgamma(hits + 1) + math.lgamma(misses + 1) - math.lgamma(of + 2)
    return log_beta + math.log(tail) - (hits + 1) * math.log(share) - misses * math.log1p(-share)
