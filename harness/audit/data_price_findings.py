"""What is found about the prices of a data set: how much of what may come it has seen, tails, repeats, ticks."""

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
_MOST_SPIKES = 1e-4
_ONE_MOVE = 0.5
_STUCK, _MANY_ZEROS = 0.95, 0.5
_MOST_FLAT, _SOME_FLAT = 0.5, 0.1
_COARSE_TICK = 0.5


def price_findings(
    moves: Moves, signal: Signal | None, steps: Steps, *, now_ns: int, price_now: float | None
) -> Iterator[Finding]:
    """Yield what prices and their moves say, at a moment (Unix time, nanoseconds)."""
    yield from _range(moves, steps)
    yield _outlook(moves, signal, steps, now_ns)
    if price_now is not None:
        yield _today(moves, price_now)
    yield _tails(moves)
    yield from _one_move(moves)
    yield from _spikes(moves)
    yield _jumps(moves)
    yield from _repeats(moves)
    yield from _flat(moves)
    yield from _tick(moves)


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


def _tails(moves: Moves) -> Finding:
    return Finding(
        id="tails.fat",
        severity=Severity.INFORMS,
        says=f"Moves from row to row have a standard deviation of {_bp(moves.sd)} and an excess kurtosis of "
        f"{moves.excess_kurtosis:,.3g} (a normal one has 0); the largest is {moves.largest:.3%}.",
        advice="Use a loss that a few moves do not rule, and judge on quiet and on hectic times apart.",
        numbers={
            "moves": moves.moves,
            "sd": moves.sd,
            "excess_kurtosis": moves.excess_kurtosis,
            "largest": moves.largest,
        },
    )


def _one_move(moves: Moves) -> Iterator[Finding]:
    if moves.largest_share > _ONE_MOVE:
        yield Finding(
            id="tails.one_move",
            severity=Severity.WARNS,
            says=f"One move, of {moves.largest:.2%}, makes {moves.largest_share:.0%} of all variance.",
            advice="Look at this row: a bad tick goes, a real jump has to be judged apart.",
            numbers={"largest": moves.largest, "share_of_variance": moves.largest_share},
        )


def _spikes(moves: Moves) -> Iterator[Finding]:
    if moves.spikes:
        share = moves.spikes / moves.moves
        yield Finding(
            id="ticks.spikes",
            severity=Severity.BLOCKS if share > _MOST_SPIKES else Severity.WARNS,
            says=f"{moves.spikes:,} moves of over {moves.quiet_move:.0%} are taken back by the next row: bad ticks.",
            advice="Hold these rows against a second source, and take out what only one of them saw.",
            numbers={"spikes": moves.spikes, "share": share, "above": moves.quiet_move},
        )


def _jumps(moves: Moves) -> Finding:
    return Finding(
        id="jumps.seen" if moves.jumps else "jumps.none",
        severity=Severity.INFORMS,
        says=f"{moves.jumps or 'No'} moves from row to row exceed {moves.jump_move:.0%}; {moves.large:,} exceed "
        f"{moves.quiet_move:.0%}.",
        advice="Nothing to do." if moves.jumps else "What a model does at a jump, this data set cannot show: test it.",
        numbers={"jumps": moves.jumps, "large": moves.large},
    )


def _repeats(moves: Moves) -> Iterator[Finding]:
    share = moves.zeros / moves.moves
    severity = Severity.WARNS if share > _MANY_ZEROS else Severity.INFORMS
    yield Finding(
        id="closes.repeated",
        severity=Severity.BLOCKS if share > _STUCK else severity,
        says=f"{share:.1%} of the closes equal the one before: for these, saying the last close again is exact.",
        advice="Judge a model on the moves that are none of these as well, or it is praised for what does not move.",
        numbers={"repeated": moves.zeros, "share": share},
    )


def _flat(moves: Moves) -> Iterator[Finding]:
    share = moves.flat_windows / moves.closes
    if moves.longest_flat_rows + 1 >= moves.window_rows:
        severity = Severity.WARNS if share > _SOME_FLAT else Severity.INFORMS
        yield Finding(
            id="closes.flat",
            severity=Severity.BLOCKS if share > _MOST_FLAT else severity,
            says=f"The longest stretch without a change of the close is {moves.longest_flat_rows + 1:,} rows; "
            f"{share:.1%} of the windows of {moves.window_rows} rows are flat.",
            advice="Find out whether the feed stood still or the market; an outage is no calm.",
            numbers={
                "longest_rows": moves.longest_flat_rows + 1,
                "flat_windows": moves.flat_windows,
                "share": share,
            },
        )


def _tick(moves: Moves) -> Iterator[Finding]:
    if moves.least_step is None or not moves.typical:
        return
    relative = moves.least_step / moves.mean
    is_coarse = relative > _COARSE_TICK * moves.typical and moves.zeros > _COARSE_TICK * moves.moves
    yield Finding(
        id="ticks.coarse" if is_coarse else "ticks.size",
        severity=Severity.WARNS if is_coarse else Severity.INFORMS,
        says=f"The least change of the close is {moves.least_step:.4g} ({_bp(relative)}); the typical one "
        f"{_bp(moves.typical)}.",
        advice="Moves are whole ticks: a model that says less than one says nothing."
        if is_coarse
        else "Nothing to do.",
        numbers={"least_step": moves.least_step, "typical_move": moves.typical, "relative": relative},
    )


def _bp(share: float) -> str:
    return f"{share * 1e4:.3g} bp"


def _below(z: float) -> float:
    return (1 + math.erf(z / math.sqrt(2))) / 2
