"""What a data set is worth to a learner: how many of its rows say something new, and what a row says of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.audit.data_table import Table

_LEAST_BLOCK_ROWS = 10
# The variance of block means against that of single moves says how many moves are worth one (batch means).
_WORTH = Template("""
SELECT count(*) AS blocks, var_samp(sum_of_sizes / moves) AS of_means, sum(moves)::BIGINT AS rows,
  sum(sum_2) / sum(moves) - (sum(sum_of_sizes) / sum(moves)) ** 2 AS of_moves
FROM blocks WHERE moves >= $least
""")
_SAME_ROW = """
SELECT avg((high - greatest(open, close)) ** 2) AS same, avg((high - last_close) ** 2) AS before,
  count(*) FILTER (high = greatest(open, close))::DOUBLE / nullif(count(high), 0) AS equal
FROM stretches WHERE move IS NOT NULL
"""


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
    """Sum up the blocks, and look at rows by themselves in stretches."""
    found = table.row(_WORTH.substitute(least=_LEAST_BLOCK_ROWS))
    row = table.row(_SAME_ROW)
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
