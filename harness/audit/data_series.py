"""What of a data set is drawn: prices and volatility over time, steps, windows, autocorrelation; few points of each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.audit.data_blocks import HOUR_S
from harness.audit.weighted import quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.audit.data_hours import Hour, Hours
    from harness.audit.data_moves import Signal
    from harness.audit.data_steps import Steps
    from harness.audit.finding import Series

_POINTS = 240
_MOST_STEPS = 30
_SHARES = tuple(share / 100 for share in range(101))


def drawn(steps: Steps, signal: Signal | None, hours: Hours) -> dict[str, Series]:
    """Return the columns of each drawing; times are Unix time in seconds."""
    found = {"hours": _hours(hours.hours), "steps": _steps(steps), "windows": _windows(steps)}
    if signal is not None:
        found["autocorrelation"] = _autocorrelation(signal)
    return found


def _hours(hours: Sequence[Hour]) -> Series:
    """Put hours together so that there are few: the least and the most price, and the mean square of a move."""
    size = max(math.ceil(len(hours) / _POINTS), 1)
    groups = [hours[place : place + size] for place in range(0, len(hours), size)]
    return {
        "begin_s": [group[0].number * HOUR_S for group in groups],
        "least": [min((hour.least for hour in group if hour.least is not None), default=None) for group in groups],
        "most": [max((hour.most for hour in group if hour.most is not None), default=None) for group in groups],
        "volatility_bp": [_volatility(group) * 1e4 for group in groups],
        "volume": [sum(hour.volume for hour in group) for group in groups],
    }


def _volatility(hours: Sequence[Hour]) -> float:
    moves = sum(hour.moves for hour in hours)
    return math.sqrt(sum(hour.volatility**2 * hour.moves for hour in hours) / moves) if moves else 0.0


def _steps(steps: Steps) -> Series:
    """Return how many steps last so many periods; the last entry holds all that are longer."""
    total = max(sum(steps.steps.values()), 1)
    short = [steps.steps.get(periods, 0) / total for periods in range(_MOST_STEPS)]
    sizes = [periods * steps.period_s for periods in range(_MOST_STEPS + 1)]
    return {"step_s": [*sizes], "share": [*short, max(1 - sum(short), 0.0)]}


def _windows(steps: Steps) -> Series:
    spans = [quantile(steps.spans, share) * steps.period_s for share in _SHARES] if steps.spans else []
    return {"share": [*_SHARES] if spans else [], "span_s": [*spans]}


def _autocorrelation(signal: Signal) -> Series:
    found = signal.autocorrelations
    return {
        "lag": [float(lag) for lag in range(1, len(found) + 1)],
        "value": [one.value for one in found],
        "low": [one.low for one in found],
        "high": [one.high for one in found],
    }
