"""How the price of a data set moves from row to row: tails, repeats, steps of the price, and what moves tell of the next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

from harness.contract.records import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.audit.data_table import Table

LAGS = 10
_LEAST_LASTING = 0.01
# A move is the log of a close over that of the row before, where the two lie no further apart than a window lasts.
MOVES = Template("""
SELECT *, CASE WHEN start - before <= $window_ns THEN ln(close) - ln(last_close) END AS move FROM (
  SELECT *, lag(start) OVER () AS before, lag(close) OVER () AS last_close
  FROM (SELECT * REPLACE (CASE WHEN close > 0 THEN close END AS close) FROM ordered)
)
""")
_MOVES = Template("""
SELECT count(close) AS closes, count(move) AS moves, sum(move) AS sum, sum(move * move) AS squares,
  kurtosis(move) AS excess_kurtosis, max(abs(move)) AS largest, max(move * move) AS largest_square,
  count(*) FILTER (move = 0) AS zeros, count(*) FILTER (abs(move) > $jump) AS jumps,
  count(*) FILTER (abs(move) > $quiet) AS large,
  count(*) FILTER (abs(last_move) > $quiet AND abs(move + last_move) < abs(last_move) / 4) AS spikes,
  min(abs(close - last_close)) FILTER (abs(close - last_close) > close * 1e-12) AS least_step,
  min(close) AS least, max(close) AS most, avg(close) AS mean,
  max(number - changed) AS longest_flat, count(*) FILTER (number - changed >= $rows - 1) AS flat_windows,
  arg_min(close, start) AS first_close, arg_max(close, start) AS last_close,
  approx_quantile(abs(move), 0.5) FILTER (move <> 0) AS typical
FROM (
  SELECT *, lag(move) OVER () AS last_move,
    max(CASE WHEN move IS NULL OR move <> 0 THEN number END)
      OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS changed
  FROM (SELECT *, row_number() OVER () AS number FROM ($moves))
)
""")
_SIGNAL = Template(
    "SELECT sum(move * move) AS squares, count(move) AS moves, $sums FROM (SELECT move, $lags FROM ($moves))"
)
_COMMONEST = (
    "SELECT close, count(*) AS times FROM ordered WHERE close IS NOT NULL GROUP BY close ORDER BY times DESC LIMIT 1"
)


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
    """Log moves from row to row, prices as they are; `autocorrelations` are those of lags 1, 2, ... in rows."""

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
    first_close: float
    last_close: float
    longest_flat_rows: int
    flat_windows: int
    window_rows: int
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
    def lasting_sd(self) -> float:
        """The standard deviation of what lasts of a move: a bounce that the next row takes back is no move.

        The long-run variance of Newey and West (1987), with as many lags as there are.
        """
        known = self.autocorrelations
        weighted = sum((1 - lag / (len(known) + 1)) * one.value for lag, one in enumerate(known, start=1))
        return self.sd * math.sqrt(max(1 + 2 * weighted, _LEAST_LASTING))


def moves_query(table: Table) -> str:
    """Return the query of all rows with their moves, oldest first."""
    return MOVES.substitute(window_ns=round(table.rule.records * table.rule.period_s * SECOND_NS))


def measure_moves(table: Table, *, jump_move: float, quiet_move: float) -> Moves | None:
    """Measure moves in one pass and their autocorrelation in another; None where no two closes follow each other."""
    moves = moves_query(table)
    jump, quiet = math.log1p(jump_move), math.log1p(quiet_move)
    found = table.row(_MOVES.substitute(moves=moves, jump=jump, quiet=quiet, rows=table.rule.records))
    if not found["moves"]:
        return None
    return Moves(
        closes=found["closes"],
        moves=found["moves"],
        sd=math.sqrt(found["squares"] / found["moves"]),
        excess_kurtosis=_finite(found["excess_kurtosis"]),
        largest=found["largest"],
        largest_share=found["largest_square"] / found["squares"] if found["squares"] else 0.0,
        zeros=found["zeros"],
        jumps=found["jumps"],
        large=found["large"],
        spikes=found["spikes"],
        jump_move=jump_move,
        quiet_move=quiet_move,
        least_step=found["least_step"],
        typical=found["typical"] or 0.0,
        least=found["least"],
        most=found["most"],
        mean=found["mean"],
        first_close=found["first_close"],
        last_close=found["last_close"],
        longest_flat_rows=found["longest_flat"] or 0,
        flat_windows=found["flat_windows"],
        window_rows=table.rule.records,
        autocorrelations=_autocorrelations(table, moves) if found["squares"] else (),
    )


def _autocorrelations(table: Table, moves: str) -> tuple[Correlation, ...]:
    lags = range(1, LAGS + 1)
    sums = ", ".join(f"sum(move * lag_{k}) AS s_{k}, sum(move * move * lag_{k} * lag_{k}) AS v_{k}" for k in lags)
    lagged = ", ".join(f"lag(move, {k}) OVER () AS lag_{k}" for k in lags)
    found = table.row(_SIGNAL.substitute(sums=sums, lags=lagged, moves=moves))
    return tuple(correlation(found, str(k), found["squares"]) for k in lags)


def correlation(found: Mapping[str, float | None], name: str, scale: float) -> Correlation:
    """Return sum / scale, with the error of a sum whose parts vary each in its own way."""
    return Correlation(value=(found[f"s_{name}"] or 0.0) / scale, sd=math.sqrt(found[f"v_{name}"] or 0.0) / scale)


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else 0.0
