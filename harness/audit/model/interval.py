"""An interval that an answer may give around its prediction: the contract asks for none, so usual names are read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS = ("interval", "prediction_interval", "confidence_interval")
_LOW, _HIGH = ("low", "lower"), ("high", "upper")
_LEVEL = ("level", "confidence", "coverage")
_USUAL_LEVEL = 0.95
_BOUNDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Bounds in USD, and the share of next closes that is promised to lie between them."""

    low: float
    high: float
    level: float = _USUAL_LEVEL


def interval_of(content: object) -> Interval | None:
    """Read `interval: {low, high, level}` or `[low, high]`, or `lower` and `upper` beside the prediction."""
    if not isinstance(content, dict):
        return None
    found = next((content[key] for key in _KEYS if key in content), content)
    if isinstance(found, list) and len(found) == _BOUNDS:
        found = {"low": found[0], "high": found[1]}
    if not isinstance(found, dict):
        return None
    low, high = _number(found, _LOW), _number(found, _HIGH)
    if low is None or high is None:
        return None
    return Interval(low=low, high=high, level=_share(_number(found, _LEVEL)))


def _number(found: Mapping[str, object], names: tuple[str, ...]) -> float | None:
    for name in names:
        value = found.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    return None


def _share(level: float | None) -> float:
    """Return a level as a share of 1: some write 95 for 0.95."""
    if level is None or level <= 0:
        return _USUAL_LEVEL
    return level / 100 if level > 1 else level
