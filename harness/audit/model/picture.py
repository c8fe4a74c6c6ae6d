"""What of a model is drawn: its error beside persistence's, what its moves are worth, and its answers to trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.audit.forecast_test import mean_of, rmse_ratio
from harness.audit.model.level import LEVEL
from harness.audit.model.sensitivity import SENSITIVITY, effects_of
from harness.audit.model.skill import LEAST, LEAST_OF_REGIME
from harness.audit.model.track import REGIMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.audit.finding import Series
    from harness.audit.model.market import Market
    from harness.audit.model.track import Track
    from harness.audit.model.trial import Answered

_GROUPS = 10
_BP = 1e4


def drawn(market: Market, track: Track, trials: Mapping[str, Sequence[Answered]]) -> dict[str, Series]:
    """Return the columns of each drawing; moves are in basis points of the last close, prices in USD."""
    found: dict[str, Series] = {}
    if len(track.truths) >= LEAST and track.errors_of("persistence").any():
        found["error"], found["moves"] = _error(track), _moves(track)
    if levels := trials.get(LEVEL.name):
        found["level"] = _level(levels, market.typical_move)
    if effects := effects_of(trials.get(SENSITIVITY.name, ())):
        rule = market.profile.window
        found["fields"] = {rule.named(role): [effect * _BP] for role, effect in effects.items()}
    return found


def _error(track: Track) -> Series:
    """Return for all windows, and for each regime, the error over persistence's and the ends of its interval."""
    ours, naive = track.errors, track.errors_of("persistence")
    parts = {"all windows": track.regimes == track.regimes} | {name: track.regimes == name for name in REGIMES}
    found: Series = {}
    for name, of_it in parts.items():
        if of_it.sum() >= LEAST_OF_REGIME and naive[of_it].any():
            ratio = rmse_ratio(ours[of_it], naive[of_it])
            found[name] = [ratio.value, ratio.low, ratio.high]
    return found


def _moves(track: Track) -> Series:
    """Return the mean of what came, with its interval, by tenths of the windows, from the least predicted move on."""
    predicted, came = (_BP * (price / track.last - 1) for price in (track.predictions, track.truths))
    groups = np.array_split(np.argsort(predicted, kind="stable"), _GROUPS)
    # Each group in the order of time: what neighbours have in common widens its interval.
    means = [mean_of(came[np.sort(group)]) for group in groups]
    return {
        "predicted_bp": [float(predicted[group].mean()) for group in groups],
        "came_bp": [mean.value for mean in means],
        "low_bp": [mean.low for mean in means],
        "high_bp": [mean.high for mean in means],
    }


def _level(answered: Sequence[Answered], usual_move: float) -> Series:
    """Return each answer of the trial; no move where no answer came."""
    moves = [None if one.share is None else one.share * _BP for one in answered]
    return {
        "window": [one.case.of for one in answered],
        "price_usd": [one.case.last for one in answered],
        "move_bp": [*moves],
        "usual_bp": [usual_move * _BP for _ in answered],
    }
