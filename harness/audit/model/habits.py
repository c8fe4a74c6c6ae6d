"""Habits of a model: does it echo a close, does it err to one side? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.audit.finding import Finding, Severity
from harness.audit.forecast_test import mean_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.audit.model.track import Series, Track

_SAME = 1e-9
_ECHO_SHARE = 0.99
_STALE_SHARE = 0.9
_LAGS = range(2, 11)
_LEAST_TELLING = 20
# A bias of less than a tenth of a usual move costs half a percent of the error.
_MATERIAL = 0.1
_LEAST = 30


def habit_findings(track: Track) -> Iterator[Finding]:
    """Find echoes and bias."""
    if len(track.truths) < _LEAST:
        return
    yield _echo(track)
    yield from _stale(track)
    yield from _bias(track)


def _echo(track: Track) -> Finding:
    share = float(_is_same(track.predictions, track.last).mean())
    size = _over(np.abs(track.predictions - track.last).mean(), np.abs(track.truths - track.last).mean())
    is_copy = share >= _ECHO_SHARE
    return Finding(
        id="echo.copies_last_close" if is_copy else "echo.share",
        severity=Severity.WARNS if is_copy else Severity.INFORMS,
        says=f"{share:.1%} of the predictions equal the last close; the average predicted move is {size:.1%} of the "
        "average real one.",
        advice="This is persistence in a container: serve the last close without one, or say what the model adds."
        if is_copy
        else "Small moves are right where little can be foreseen; none at all would be persistence.",
        numbers={"echo_share": share, "predicted_over_real_move": size},
    )


def _stale(track: Track) -> Iterator[Finding]:
    """Look for an older close that the model repeats, where it can be told from the last one."""
    for lag in _LAGS[: track.recent.shape[1] - 1]:
        older = track.recent[:, -lag]
        tells = ~_is_same(older, track.last)
        if tells.sum() < _LEAST_TELLING:
            continue
        share = float(_is_same(track.predictions, older)[tells].mean())
        if share >= _STALE_SHARE:
            yield Finding(
                id="echo.stale",
                severity=Severity.BLOCKS,
                says=f"{share:.1%} of the predictions equal the close {lag - 1} records before the last, where the two "
                "differ: the model looks past the newest prices.",
                advice="Look at the order of the lags and at off-by-one slices between training and serving.",
                numbers={"stale_share": share, "records_behind": lag - 1},
            )
            return


def _bias(track: Track) -> Iterator[Finding]:
    errors = track.errors / track.last
    found, usual = mean_of(errors), float(np.sqrt(np.mean(np.square(track.errors_of("persistence") / track.last))))
    is_material = found.is_off_zero and abs(found.value) > _MATERIAL * usual
    side = "high" if found.value > 0 else "low"
    mean_usd = float(track.errors.mean())
    yield Finding(
        id="bias.systematic" if is_material else "bias.none_to_speak_of",
        severity=Severity.WARNS if is_material else Severity.INFORMS,
        says=f"On average it errs by {mean_usd:+.4g} USD, {found.value:+.2e} of the price (95 % between "
        f"{found.low:+.2e} and {found.high:+.2e}; a usual move is {usual:.2e})"
        + (f": it runs {side}." if is_material else "."),
        advice="Subtract it, and look for a target that is not the next close, such as a high or a rounded price."
        if is_material
        else "Nothing to do.",
        numbers={
            "bias_usd": mean_usd,
            "bias_share": found.value,
            "bias_share_low": found.low,
            "bias_share_high": found.high,
            "usual_move_share": usual,
        },
    )


def _is_same(first: Series, second: Series) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.abs(first - second) <= _SAME * np.abs(second)


def _over(above: float, below: float) -> float:
    return float(above / below) if below else 0.0
