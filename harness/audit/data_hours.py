"""A data set hour by hour: prices, how much they move, volume, and the digits that they are written with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

from harness.audit.data_stretches import MOST_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.audit.data_table import Table

# Digits after the point are looked at in so many rows, evenly spread: rounding is slow, and precision changes seldom.
_DIGIT_ROWS = 100_000
MOST_DIGITS = 8
_HOURS = """
SELECT hour, sum(rows)::BIGINT AS rows, sum(moves)::BIGINT AS moves, sum(sum_2) AS squares, min(least) AS least,
  max(most) AS most, sum(volume) AS volume
FROM blocks GROUP BY hour ORDER BY hour
"""
_DIGITS = Template("""
SELECT (start // 3600000000000)::BIGINT AS hour, digits, count(*) AS rows FROM (
  SELECT start, CASE $cases ELSE $beyond END AS digits FROM stretches
  WHERE hash(start) % $every = 0 AND close IS NOT NULL
) GROUP BY ALL
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour: its number since the epoch, prices, the standard deviation of a move, and the volume."""

    number: int
    rows: int
    moves: int
    least: float | None
    most: float | None
    volatility: float
    volume: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """All hours that have a row, oldest first; `digits` counts rows looked at by hour and digits after the point."""

    hours: Sequence[Hour]
    digits: Sequence[tuple[int, int, int]]


def measure_hours(table: Table) -> Hours:
    """Sum up the blocks, and look at the digits in stretches."""
    rows = table.rows(_HOURS)
    return Hours(hours=[_hour(row) for row in rows], digits=_digits(table, sum(row["rows"] for row in rows)))


def _hour(row: dict[str, float]) -> Hour:
    return Hour(
        number=int(row["hour"]),
        rows=int(row["rows"]),
        moves=int(row["moves"]),
        least=row["least"],
        most=row["most"],
        volatility=math.sqrt((row["squares"] or 0.0) / row["moves"]) if row["moves"] else 0.0,
        volume=row["volume"] or 0.0,
    )


def _digits(table: Table, rows: int) -> list[tuple[int, int, int]]:
    # A price is what it is rounded to where they differ by no more than the last bits of a number.
    cases = " ".join(
        f"WHEN abs(close * 1e{digits} - round(close * 1e{digits})) <= greatest(close * 1e{digits} * 4e-16, 1e-9) "
        f"THEN {digits}"
        for digits in range(MOST_DIGITS + 1)
    )
    asked = {"cases": cases, "beyond": MOST_DIGITS + 1, "every": max(min(rows, MOST_ROWS) // _DIGIT_ROWS, 1)}
    return [(row["hour"], row["digits"], row["rows"]) for row in table.rows(_DIGITS.substitute(asked))]
