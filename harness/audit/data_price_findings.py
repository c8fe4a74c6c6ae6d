"""What is found about how the prices of a data set move: tails, jumps, repeats, ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.audit.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.audit.data_moves import Moves

_MOST_SPIKES = 1e-4
_ONE_MOVE = 0.5
_STUCK, _MANY_ZEROS = 0.95, 0.5
_MOST_FLAT, _SOME_FLAT = 0.5, 0.1
_COARSE_TICK = 0.5


def price_findings(moves: Moves) -> Iterator[Finding]:
    """Yield what prices and their moves say."""
    yield _tails(moves)
    yield from _one_move(moves)
    yield from _spikes(moves)
    yield _jumps(moves)
    yield from _repeats(moves)
    yield from _flat(moves)
    yield from _tick(moves)


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
