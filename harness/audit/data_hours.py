"""A data set hour by hour: prices, how much they move, volume, and the digits that they are written with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

from harness.audit.data_moves import moves_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.audit.data_table import Table

HOUR_S = 3600
# Digits after the point are looked at in so many rows, evenly spread: rounding is slow, and precision changes seldom.
_DIGIT_ROWS = 100_000
MOST_DIGITS = 8
_HOURS = Template("""
SELECT (start // 3600000000000)::BIGINT AS hour, count(*) AS rows, count(move) AS moves,
  sum(move * move) AS squares, min(close) AS least, max(close) AS most, sum(volume) AS volume, sum(abs(move)) AS path
FROM ($moves) GROUP BY hour ORDER BY hour
""")
_DIGITS = Template("""
SELECT (start // 3600000000000)::BIGINT AS hour, digits, count(*) AS rows FROM (
  SELECT start, CASE $cases ELSE $beyond END AS digits
  FROM (SELECT start, close, row_number() OVER () AS number FROM ordered)
  WHERE number % $every = 0 AND close IS NOT NULL
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
    """Measure in two passes."""
    rows = table.rows(_HOURS.substitute(moves=moves_query(table)))
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
    asked = {"cases": cases, "beyond": MOST_DIGITS + 1, "every": max(rows // _DIGIT_ROWS, 1)}
    return [(row["hour"], row["digits"], row["rows"]) for row in table.rows(_DIGITS.substitute(asked))]
