"""How much of the prices that may come a data set has seen: what is found about its range."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.audit.data_time_findings import said
from harness.audit.finding import Finding, Severity
from harness.contract.records import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.audit.data_moves import Moves, Signal
    from harness.audit.data_steps import Steps

# A model that has seen no more than this knows one level, not a market.
_NARROW_RANGE = 0.05
_YEAR_S = 365.25 * 86_400
_DAY_S = 86_400.0
# Over so long a model is meant to serve before it is trained anew.
_SERVICE_S = 30 * _DAY_S
_UNLIKELY, _DOUBTFUL = 0.1, 0.5


def range_findings(
    moves: Moves, signal: Signal | None, steps: Steps, *, now_ns: int, price_now: float | None
) -> Iterator[Finding]:
    """Yield what the range says, at a moment (Unix time, nanoseconds) and, if it is known, at today's price."""
    yield from _range(moves, steps)
    yield _outlook(moves, signal, steps, now_ns)
    if price_now is not None:
        yield _today(moves, price_now)


def _range(moves: Moves, steps: Steps) -> Iterator[Finding]:
    if steps.span_s <= _DAY_S:
        yield Finding(
            id="regime.one_day",
            severity=Severity.BLOCKS,
            says=f"All of it is {said(steps.span_s)}: no night, no weekend, no news day was seen beside another one.",
            advice="Record several weeks, calm and hectic ones.",
            numbers={"span_s": steps.span_s},
        )
    width = moves.most / moves.least - 1
    is_narrow = width < _NARROW_RANGE
    yield Finding(
        id="range.narrow" if is_narrow else "range.seen",
        severity=Severity.BLOCKS if is_narrow else Severity.INFORMS,
        says=f"Closes lie between {moves.least:,.10g} and {moves.most:,.10g}, {width:.2%} apart: "
        + ("a model of levels has seen one price." if is_narrow else "that is what a model of levels can know."),
        advice="Train on moves relative to the last close, not on levels, and on a series that saw more.",
        numbers={"least": moves.least, "most": moves.most, "width": width, "mean": moves.mean},
    )


def _outlook(moves: Moves, signal: Signal | None, steps: Steps, now_ns: int) -> Finding:
    """Say how likely the price, while a model serves, is one that the data saw, if it goes on as widely as it did."""
    ahead_s = max((now_ns - steps.last_ns) / SECOND_NS, 0.0) + _SERVICE_S
    per_move_s = max(steps.span_s / max(moves.moves, 1), 1e-9)
    lasting = moves.sd * (signal.lasting_share if signal is not None else 1.0)
    yearly, spread = (lasting * math.sqrt(time_s / per_move_s) for time_s in (_YEAR_S, ahead_s))
    low, high = (math.log(end / moves.last_close) for end in (moves.least, moves.most))
    inside = _below(high / spread) - _below(low / spread) if spread else float(low <= 0 <= high)
    severity = Severity.WARNS if inside < _DOUBTFUL else Severity.INFORMS
    reach = math.exp(1.96 * spread) if spread < math.log(1e6) else math.inf
    return Finding(
        id="range.outgrown",
        severity=Severity.BLOCKS if inside < _UNLIKELY else severity,
        says=f"Going on as it moved ({yearly:.0%} a year), the price {said(_SERVICE_S)} from today may be up to "
        f"{reach:.3g} times the last close of the data or as much less (95 %); the chance that it lies in the range "
        f"that was seen is {inside:.1%}.",
        advice="Predict the move, not the level; train on what ends near the day of release.",
        numbers={"inside_probability": inside, "volatility_per_year": yearly, "ahead_days": ahead_s / _DAY_S},
    )


def _today(moves: Moves, price_now: float) -> Finding:
    inside = moves.least <= price_now <= moves.most
    nearest = min(max(price_now, moves.least), moves.most)
    return Finding(
        id="range.today",
        severity=Severity.INFORMS if inside else Severity.BLOCKS,
        says=f"Today's price, {price_now:,.10g}, "
        + (
            "lies in the range that was seen."
            if inside
            else f"is {price_now / nearest:.3g} times the nearest one seen."
        ),
        advice="Nothing to do." if inside else "Train on a series that holds today's price, or on moves alone.",
        numbers={"price_now": price_now, "times_nearest_seen": price_now / nearest},
    )


def _below(z: float) -> float:
    return (1 + math.erf(z / math.sqrt(2))) / 2
