"""The extremes of every column of a data set, and of what lies between two: what they tell needs no other pass."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from harness.audit.data_columns import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.audit.data_columns import Column
    from harness.audit.data_table import Table

Range = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extremes:
    """By column key: the least and the most.

    `apart` holds the least and the most of the second less the first, by the keys of both: all pairs of times, and the
    pairs of numbers that the profile puts in an order.
    """

    ranges: Mapping[str, Range]
    apart: Mapping[tuple[str, str], Range]

    def between(self, first: str, second: str) -> Range:
        """Return the least and the most of a column less another one, whichever way they were measured."""
        if (first, second) in self.apart:
            return self.apart[first, second]
        least, most = self.apart[second, first]
        return (None if most is None else -most, None if least is None else -least)


def extremes_asked(table: Table) -> list[str]:
    """Return what to ask of all rows: of each column that is there, and of what lies between two."""
    columns = _columns(table)
    asked = [f"min({quoted(c.key)}) AS least_{c.key}, max({quoted(c.key)}) AS most_{c.key}" for c in columns]
    return asked + [
        f"min({quoted(b)} - {quoted(a)}) AS near_{place}, max({quoted(b)} - {quoted(a)}) AS far_{place}"
        for place, (a, b) in enumerate(_pairs(table, columns))
    ]


def extremes_of(table: Table, found: Mapping[str, Any]) -> Extremes:
    """Return the extremes that were found."""
    columns = _columns(table)
    return Extremes(
        ranges={c.key: (found[f"least_{c.key}"], found[f"most_{c.key}"]) for c in columns},
        apart={pair: (found[f"near_{n}"], found[f"far_{n}"]) for n, pair in enumerate(_pairs(table, columns))},
    )


def _columns(table: Table) -> list[Column]:
    return [column for column in table.columns if column.key in table.present]


def _pairs(table: Table, columns: list[Column]) -> list[tuple[str, str]]:
    keys = {column.name: column.key for column in columns}
    times = [column.key for column in columns if column.field.kind == "timestamp"]
    ordered = [(keys[a], keys[b]) for a, b in table.rule.ordered if a in keys and b in keys]
    return list(dict.fromkeys([*combinations(times, 2), *ordered]))
