"""What a data set is worth to a learner: how many of its rows say something new, and what a row says of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

from harness.audit.data_moves import moves_query
from harness.contract.records import SECOND_NS

if TYPE_CHECKING:
    from harness.audit.data_table import Table

# Volatility lasts for minutes: means over blocks of so many periods are told apart from each other.
BLOCK_PERIODS = 600
_LEAST_BLOCK_ROWS = 10
# The variance of block means against that of single moves says how many moves are worth one (batch means).
_BLOCKS = Template("""
SELECT count(*) AS blocks, var_samp(mean) AS of_means, sum(rows) AS rows,
  sum(sum_of_squares) / sum(rows) - (sum(sum_of_moves) / sum(rows)) ** 2 AS of_moves
FROM (
  SELECT start // $block_ns AS block, avg(abs(move)) AS mean, count(move) AS rows,
    sum(abs(move)) AS sum_of_moves, sum(move * move) AS sum_of_squares
  FROM ($moves) WHERE move IS NOT NULL GROUP BY block HAVING count(move) >= $least
)
""")
_SAME_ROW = Template("""
SELECT avg((high - greatest(open, close)) ** 2) AS same, avg((high - last_close) ** 2) AS before,
  count(*) FILTER (high = greatest(open, close))::DOUBLE / nullif(count(high), 0) AS equal
FROM ($moves) WHERE move IS NOT NULL
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Rows with a move, and how many independent ones they are worth for the size of moves; None where too few."""

    moves: int
    blocks: int
    effective: float | None
    same_row_rmse: float | None
    persistence_rmse: float | None
    high_is_open_or_close_share: float | None


def measure_sample(table: Table) -> Sample:
    """Measure in two passes."""
    block_ns = round(BLOCK_PERIODS * table.rule.period_s * SECOND_NS)
    asked = {"moves": moves_query(table), "block_ns": block_ns, "least": _LEAST_BLOCK_ROWS}
    found, row = table.row(_BLOCKS.substitute(asked)), table.row(_SAME_ROW.substitute(asked))
    return Sample(
        moves=int(found["rows"] or 0),
        blocks=found["blocks"],
        effective=_effective(found),
        same_row_rmse=_root(row["same"]),
        persistence_rmse=_root(row["before"]),
        high_is_open_or_close_share=row["equal"],
    )


def _effective(found: dict[str, float | None]) -> float | None:
    blocks, of_means, of_moves, rows = (found[name] or 0.0 for name in ("blocks", "of_means", "of_moves", "rows"))
    if blocks < 2 or not of_means:  # noqa: PLR2004 - a variance takes two
        return None
    return min(blocks * of_moves / of_means, rows)


def _root(square: float | None) -> float | None:
    return math.sqrt(square) if square is not None else None
