"""How the price of a data set moves from row to row: tails, repeats, ticks, and what moves tell of the next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

from harness.audit.data_blocks import moves_query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.audit.data_table import Table

LAGS = 10
_LEAST_LASTING = 0.01
_TOTALS = """
SELECT sum(closes)::BIGINT AS closes, sum(moves)::BIGINT AS moves, sum(zeros)::BIGINT AS zeros,
  sum(jumps)::BIGINT AS jumps, sum(large)::BIGINT AS large, sum(spikes)::BIGINT AS spikes,
  sum(flat_windows)::BIGINT AS flat_windows, max(longest_flat) AS longest_flat,
  sum(sum_1) AS sum_1, sum(sum_2) AS sum_2, sum(sum_3) AS sum_3, sum(sum_4) AS sum_4, max(largest) AS largest,
  min(least_step) AS least_step, min(least) AS least, max(most) AS most, sum(sum_of_closes) AS sum_of_closes,
  arg_max(last_close, newest) AS last_close
FROM blocks
"""
_TYPICAL = "SELECT approx_quantile(abs(move), 0.5) AS typical FROM stretches WHERE move <> 0"
_SIGNAL = Template("SELECT sum(move * move) AS squares, $sums FROM (SELECT move, $lags FROM ($moves))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """How much one thing tells of another, with its 95 % interval; `sd` holds where variances change (White, 1980)."""

    value: float
    sd: float

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.value - 1.96 * self.sd

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.value + 1.96 * self.sd

    @property
    def z(self) -> float:
        """How many standard errors it is from none."""
        return self.value / self.sd if self.sd else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Log moves from row to row, prices as they are."""

    closes: int
    moves: int
    sd: float
    excess_kurtosis: float
    largest: float
    largest_share: float
    zeros: int
    jumps: int
    large: int
    spikes: int
    jump_move: float
    quiet_move: float
    least_step: float | None
    typical: float
    least: float
    most: float
    mean: float
    last_close: float
    longest_flat_rows: int
    flat_windows: int
    window_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What moves tell of the moves after them; `autocorrelations` are those of lags 1, 2, ... in rows."""

    autocorrelations: Sequence[Correlation]

    @property
    def explained(self) -> float:
        """The share of a move's variance that a straight line through the lags explains (Levinson and Durbin)."""
        known = [one.value for one in self.autocorrelations]
        weights: list[float] = []
        left = 1.0
        for place, value in enumerate(known):
            if left <= 0:
                break
            new = (value - sum(w * known[place - 1 - k] for k, w in enumerate(weights))) / left
            weights = [w - new * weights[place - 1 - k] for k, w in enumerate(weights)] + [new]
            left *= 1 - new**2
        return min(max(1 - left, 0.0), 1.0)

    @property
    def lasting_share(self) -> float:
        """The share of a move's standard deviation that lasts: a bounce that the next row takes back is no move.

        The long-run variance of Newey and West (1987), with as many lags as there are.
        """
        known = self.autocorrelations
        weighted = sum((1 - lag / (len(known) + 1)) * one.value for lag, one in enumerate(known, start=1))
        return math.sqrt(max(1 + 2 * weighted, _LEAST_LASTING))


def measure_moves(table: Table, *, jump_move: float, quiet_move: float) -> Moves | None:
    """Sum up the blocks, which went by the same two moves; None where no two closes follow each other."""
    found = table.row(_TOTALS)
    if not found["moves"]:
        return None
    return Moves(
        closes=found["closes"],
        moves=found["moves"],
        sd=math.sqrt(found["sum_2"] / found["moves"]),
        excess_kurtosis=_excess_kurtosis(found),
        largest=found["largest"],
        largest_share=found["largest"] ** 2 / found["sum_2"] if found["sum_2"] else 0.0,
        zeros=found["zeros"],
        jumps=found["jumps"],
        large=found["large"],
        spikes=found["spikes"],
        jump_move=jump_move,
        quiet_move=quiet_move,
        least_step=found["least_step"],
        typical=table.row(_TYPICAL)["typical"] or 0.0,
        least=found["least"],
        most=found["most"],
        mean=found["sum_of_closes"] / found["closes"],
        last_close=found["last_close"],
        longest_flat_rows=found["longest_flat"] or 0,
        flat_windows=found["flat_windows"],
        window_rows=table.rule.records,
    )


def _excess_kurtosis(found: Mapping[str, float]) -> float:
    """Return the excess kurtosis of a population with these sums of powers."""
    mean, second, third, fourth = (found[f"sum_{power}"] / found["moves"] for power in (1, 2, 3, 4))
    variance = second - mean**2
    central = fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4
    return central / variance**2 - 3 if variance > 0 else 0.0


def measure_signal(table: Table) -> Signal | None:
    """Measure in one pass; None where nothing moves."""
    lags = range(1, LAGS + 1)
    sums = ", ".join(f"sum(product_{k}) AS s_{k}, sum(product_{k} * product_{k}) AS v_{k}" for k in lags)
    products = ", ".join(f"move * lag(move, {k}) OVER () AS product_{k}" for k in lags)
    found = table.row(_SIGNAL.substitute(sums=sums, lags=products, moves=moves_query(table)))
    if not found["squares"]:
        return None
    return Signal(autocorrelations=tuple(correlation(found, str(k), found["squares"]) for k in lags))


def correlation(found: Mapping[str, float | None], name: str, scale: float) -> Correlation:
    """Return sum / scale, with the error of a sum whose parts vary each in its own way."""
    return Correlation(value=(found[f"s_{name}"] or 0.0) / scale, sd=math.sqrt(found[f"v_{name}"] or 0.0) / scale)
