"""Student's t distribution: its tails, through the continued fraction of the incomplete beta function."""

from __future__ import annotations

import math
from functools import cache

_ROUNDS = 300
_TINY = 1e-300
_CLOSE_ENOUGH = 1e-15
_HALVINGS = 200


def two_sided_p(t: float, freedom: float) -> float:
    """Return the chance of a value at least as far from 0 as `t`, with `freedom` degrees of freedom (> 0)."""
    if math.isinf(t):
        return 0.0
    return regularised_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


@cache
def critical(confidence: float, freedom: float) -> float:
    """Return the t beyond which, on both sides together, lies 1 - `confidence` (between 0 and 1)."""
    low, high = 0.0, 1.0
    while two_sided_p(high, freedom) > 1 - confidence:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if two_sided_p(middle, freedom) > 1 - confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def regularised_beta(x: float, a: float, b: float) -> float:
    """Return I_x(a, b) (Abramowitz and Stegun, 26.5.8), from the side on which the fraction converges fast."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1) / (a + b + 2):
        return 1 - regularised_beta(1 - x, b, a)
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(logarithm) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d1/(1 + d2/(1 + ...)), by Lentz's method."""
    value = numerator = 1.0
    denominator = 0.0
    for step in range(1, _ROUNDS):
        term = _term(x, a, b, step)
        denominator = 1 / _off_zero(1 + term * denominator)
        numerator = _off_zero(1 + term / numerator)
        value *= numerator * denominator
        if abs(numerator * denominator - 1) < _CLOSE_ENOUGH:
            break
    return value


def _term(x: float, a: float, b: float, step: int) -> float:
    m = step // 2
    if step % 2:
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))


def _off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
