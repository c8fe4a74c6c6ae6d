"""Quantiles of values that are counted: how often each comes."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def quantile(counts: Mapping[int, int], share: float) -> int:
    """Return the least value that so large a share of all does not exceed; 0 where nothing is counted."""
    values = sorted(counts)
    reached = list(accumulate(counts[value] for value in values))
    if not reached:
        return 0
    needed = share * reached[-1]
    return next(value for value, count in zip(values, reached, strict=True) if count >= needed)
