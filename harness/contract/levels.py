"""Levels and moves that checks speak of, told in the default profile's, and what they are in another's. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.contract.series import generate

if TYPE_CHECKING:
    from harness.contract.profile import Prediction, Profile, SeriesRule, WindowRule
    from harness.contract.series import Second

# The default profile's: prices from 1 to a million, a quiet window's moves up to 1 %, a jump's over 5 %.
_LEVELS = (1.0, 1_000_000.0)
_QUIET_MOVE, _JUMP_MOVE = 0.01, 0.05
# A series of a few thousand periods rises above its level by no more than so many volatilities, and what is constant
# need not stay below the highest level by more than this.
_RISE, _HEADROOM = 150.0, 0.99
_DIGITS = 6


def level_in(rule: WindowRule, usd: float) -> float:
    """Return the level that lies in a profile's usual range where `usd` lies in 1 to 1,000,000, by its logarithm."""
    low, high = rule.levels
    if (low, high) == _LEVELS:
        return usd
    level = low * usd ** (math.log(high / low) / math.log(_LEVELS[1]))
    level = min(level, high * _HEADROOM) if usd < _LEVELS[1] else high
    return round(level) if isinstance(usd, int) else level


def series_in(profile: Profile, *, seed: int, seconds: int, level: float = 30_000.0, **how: float) -> list[Second]:
    """Return a generated series of so many periods that moves as the profile says.

    It lies in the profile's usual range where `level` lies in ours; `how` is what `generate` takes besides.
    """
    rule = profile.series
    highest = profile.window.levels[1] / math.exp(_RISE * rule.volatility)
    begin = min(level_in(profile.window, level), highest) / (1 + rule.cycle_share)
    usual = {"volatility": rule.volatility, "silent_share": rule.silent_share}
    return _waving(rule, generate(seed=seed, seconds=seconds, level=begin, **{**usual, **how}))


def _waving(rule: SeriesRule, series: list[Second]) -> list[Second]:
    """Let prices follow the profile's cycle, from its foot; a period without trades has the last one's prices."""
    if not rule.cycle_share:
        return series
    found: list[Second] = []
    factor = 1.0
    for place, second in enumerate(series):
        if second.count or not place:
            factor = 1 + rule.cycle_share * (1 - math.cos(math.tau * place / rule.cycle_periods)) / 2
        found.append(_times(second, factor))
    return found


def _times(second: Second, factor: float) -> Second:
    prices = {name: round(getattr(second, name) * factor, _DIGITS) for name in ("open", "high", "low", "close")}
    return replace(second, **prices)


def jump_in(promise: Prediction, factor: float) -> float:
    """Return the factor that is to a profile's jumps what `factor` is to moves of 5 %."""
    return float(factor ** (math.log1p(-promise.jump_move) / math.log1p(-_JUMP_MOVE)))


def quiet_in(promise: Prediction, factor: float) -> float:
    """Return the factor that is to the moves of a profile's quiet windows what `factor` is to moves of 1 %."""
    return float(factor ** (math.log1p(promise.quiet_move) / math.log1p(_QUIET_MOVE)))
