"""The extremes of every column of a data set, and of what lies between two: one pass that tells what needs no other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from harness.audit.data_columns import quoted, raw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.audit.data_columns import Column
    from harness.audit.data_table import Table

Range = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extremes:
    """By column key: how many values there are, how many texts that are none, and the least and the most.

    `apart` holds the least and the most of the second less the first, by the keys of both: all pairs of times, and the
    pairs of numbers that the profile puts in an order.
    """

    rows: int
    values: Mapping[str, int]
    wrong: Mapping[str, int]
    ranges: Mapping[str, Range]
    apart: Mapping[tuple[str, str], Range]

    def empty(self, key: str) -> int:
        """Return how many cells of a column are empty."""
        return self.rows - self.values[key] - self.wrong[key]

    def between(self, first: str, second: str) -> Range:
        """Return the least and the most of a column less another one, whichever way they were measured."""
        if (first, second) in self.apart:
            return self.apart[first, second]
        least, most = self.apart[second, first]
        return (None if most is None else -most, None if least is None else -least)


def measure_extremes(table: Table) -> Extremes:
    """Measure in one pass over all columns that are there."""
    columns = [column for column in table.columns if column.key in table.present]
    pairs = _pairs(table, columns)
    asked = [
        f"count({quoted(c.key)}) AS n_{c.key}, count({raw(c.key)}) AS w_{c.key}, "
        f"min({quoted(c.key)}) AS least_{c.key}, max({quoted(c.key)}) AS most_{c.key}"
        for c in columns
    ]
    asked += [
        f"min({quoted(b)} - {quoted(a)}) AS near_{place}, max({quoted(b)} - {quoted(a)}) AS far_{place}"
        for place, (a, b) in enumerate(pairs)
    ]
    found = table.row(f"SELECT {', '.join(['count(*) AS rows', *asked])} FROM records")
    return Extremes(
        rows=found["rows"],
        values={c.key: found[f"n_{c.key}"] for c in columns},
        wrong={c.key: found[f"w_{c.key}"] for c in columns},
        ranges={c.key: (found[f"least_{c.key}"], found[f"most_{c.key}"]) for c in columns},
        apart={pair: (found[f"near_{place}"], found[f"far_{place}"]) for place, pair in enumerate(pairs)},
    )


def _pairs(table: Table, columns: list[Column]) -> list[tuple[str, str]]:
    keys = {column.name: column.key for column in columns}
    times = [column.key for column in columns if column.field.kind == "timestamp"]
    ordered = [(keys[a], keys[b]) for a, b in table.rule.ordered if a in keys and b in keys]
    return list(dict.fromkeys([*combinations(times, 2), *ordered]))
