"""By how much one of two paired measurements is larger: Hodges and Lehmann's shift, which outliers do not move."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from harness.release.estimate import Estimate

if TYPE_CHECKING:
    from harness.audit.forecast_test import Series

# The averages of all pairs of so many take 36 MB; of more observations each k-th counts.
_MOST = 3_000
_NORMAL = NormalDist()


def shift_of(differences: Series, *, confidence: float) -> Estimate:
    """Return the median of the averages of all pairs of differences [n], in their unit.

    Its interval inverts Wilcoxon's signed-rank test (Hodges and Lehmann, 1963), as does its p; both by the normal
    approximation, which is close from 20 observations on.
    """
    some = differences[:: math.ceil(len(differences) / _MOST)] if len(differences) else differences
    n = len(some)
    first, second = np.triu_indices(n)
    averages = (some[first] + some[second]) / 2
    mean, deviation = n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    rank = min(max(math.floor(mean - z * deviation), 0), len(averages) - 1)
    middle, other = (len(averages) - 1) // 2, len(averages) // 2
    placed = np.partition(averages, [rank, middle, other, len(averages) - 1 - rank])
    positive = float((averages > 0).sum()) + float((averages == 0).sum()) / 2
    return Estimate(
        value=float(placed[middle] + placed[other]) / 2,
        low=float(placed[rank]),
        high=float(placed[len(averages) - 1 - rank]),
        p=2 * _NORMAL.cdf(-abs(positive - mean) / deviation),
        of=len(differences),
    )
