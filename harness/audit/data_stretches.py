"""Some rows of a data set in the place of all: stretches of time, evenly spread, for what is slow to ask."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

from harness.audit.data_blocks import BLOCK_PERIODS, block_ns, moves_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.audit.data_table import Table

MOST_ROWS = 300_000
_STRETCHES = 24
# Steps of this share of a stretch's room fall on each part of a day alike.
_GOLDEN = (math.sqrt(5) - 1) / 2


def make_stretches(table: Table) -> None:
    """Make the table `stretches`, rows with their moves, out of the blocks; of a small data set it holds all rows."""
    if table.order.timed <= MOST_ROWS:
        table.keep("stretches", moves_query(table))
        return
    size_ns, blocks = block_ns(table), table.rows("SELECT block, sum(rows) AS rows FROM blocks GROUP BY 1 ORDER BY 1")
    begins = _begins([one["block"] for one in blocks], [int(one["rows"]) for one in blocks])
    length = math.ceil(MOST_ROWS / _STRETCHES / BLOCK_PERIODS)
    parts = [
        f"(SELECT * FROM ordered WHERE {table.between(begin * size_ns, (begin + length) * size_ns)})"
        for begin in begins
    ]
    table.keep("stretches", " UNION ALL ".join(f"({moves_query(table, part)})" for part in parts))


def _begins(blocks: Sequence[int], rows: Sequence[int]) -> list[int]:
    """Return the blocks in which stretches begin, each in its own share of the rows."""
    reached, length = list(accumulate(rows)), math.ceil(MOST_ROWS / _STRETCHES / BLOCK_PERIODS)
    found: list[int] = []
    for place in range(_STRETCHES):
        wanted = (place + place * _GOLDEN % 1 * _GOLDEN) / _STRETCHES * reached[-1]
        block = next(block for block, count in zip(blocks, reached, strict=True) if count > wanted)
        if not found or block >= found[-1] + length:
            found.append(block)
    return found
