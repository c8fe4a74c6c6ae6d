"""How the price moves from row to row, summed up over blocks of time: one pass, from which much else is told."""

from __future__ import annotations

import math
from string import Template
from typing import TYPE_CHECKING

from harness.contract.records import SECOND_NS

if TYPE_CHECKING:
    from harness.audit.data_table import Table

HOUR_S = 3600
# Volatility lasts for minutes: blocks of so many periods are long enough to be told apart from each other.
BLOCK_PERIODS = 600
# A move is the log of a close over that of the row before, where the two lie no further apart than a window lasts.
_MOVES = Template("""
SELECT *, CASE WHEN start - before <= $window_ns THEN ln(close / last_close) END AS move FROM (
  SELECT *, lag(start) OVER () AS before, lag(close) OVER () AS last_close
  FROM (SELECT * REPLACE (CASE WHEN close > 0 THEN close END AS close) FROM $source)
)
""")
_BLOCKS = Template("""
SELECT start // $hour_ns AS hour, start // $block_ns AS block, count(*) AS rows,
  count(close) AS closes, min(close) AS least, max(close) AS most, sum(close) AS sum_of_closes,
  max(start) AS newest, arg_max(close, start) AS last_close, sum(volume) AS volume,
  count(move) AS moves, sum(move) AS sum_1, sum(square) AS sum_2, sum(square * move) AS sum_3,
  sum(square * square) AS sum_4, sum(size) AS sum_of_sizes, max(size) AS largest,
  count(*) FILTER (move = 0) AS zeros,
  count(*) FILTER (size > $jump) AS jumps,
  count(*) FILTER (size > $quiet) AS large,
  count(*) FILTER (last_size > $quiet AND abs(move + last_move) < last_size / 4) AS spikes,
  min(CASE WHEN size > 0 THEN abs(close - last_close) END) AS least_step,
  max(number - changed) AS longest_flat, count(*) FILTER (number - changed >= $rows - 1) AS flat_windows
FROM (
  SELECT *, move * move AS square, abs(move) AS size, lag(move) OVER () AS last_move, abs(last_move) AS last_size,
    max(CASE WHEN move IS NULL OR move <> 0 THEN number END)
      OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS changed
  FROM (SELECT *, row_number() OVER () AS number FROM ($moves))
) GROUP BY ALL
""")


def block_ns(table: Table) -> int:
    """Return how long a block is, in nanoseconds."""
    return round(BLOCK_PERIODS * table.rule.period_s * SECOND_NS)


def moves_query(table: Table, source: str = "ordered") -> str:
    """Return the query of rows with their moves, oldest first; `source` is `ordered`, or a query of some of these."""
    window_ns = round(table.rule.records * table.rule.period_s * SECOND_NS)
    return _MOVES.substitute(window_ns=window_ns, source=source)


def make_blocks(table: Table, *, jump_move: float, quiet_move: float) -> None:
    """Make the table `blocks`, one row a block of an hour; moves beyond the two are counted as jumps, and as large."""
    query = _BLOCKS.substitute(
        moves=moves_query(table),
        hour_ns=HOUR_S * SECOND_NS,
        block_ns=block_ns(table),
        jump=math.log1p(jump_move),
        quiet=math.log1p(quiet_move),
        rows=table.rule.records,
    )
    table.keep("blocks", query)
