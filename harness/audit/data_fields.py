"""The fields of a data set beside each other: constant, the same, all but the same, and what they tell of the next move."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from string import Template
from typing import TYPE_CHECKING

from harness.audit.data_columns import quoted
from harness.audit.data_moves import Correlation, correlation, moves_query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.audit.data_columns import Column
    from harness.audit.data_table import Table

_VALUES = Template("SELECT count(*) AS rows, $counted FROM records")
# What each field says beside the last close, known when the next move is not: its share in the close, or itself.
_NEXT = Template("""
SELECT sum(next * next) AS squares, $sums FROM (
  SELECT move AS next, $told FROM ($moves)
) WHERE next IS NOT NULL
""")
_AHEAD = Template("""
SELECT count(*) FILTER (move <> 0) AS moves, $equal FROM (SELECT move, close, $before FROM ($moves))
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFacts:
    """What is known of fields; `same` and `correlations` by pairs of names, `tells` and `knows` by name.

    `tells` is the correlation with the next move; `knows` is the share of moves after which the field had the value of
    the close that came next.
    """

    missing: Sequence[str]
    extra: Sequence[str]
    constant: Mapping[str, float]
    same: Sequence[tuple[str, str]]
    derived: Sequence[tuple[str, str]]
    correlations: Mapping[tuple[str, str], float]
    magnitudes: Mapping[str, float]
    tells: Mapping[str, Correlation]
    knows: Mapping[str, float]


def measure_fields(table: Table) -> FieldFacts:
    """Measure in three passes; files may lack fields."""
    columns = [column for column in table.columns if column.key in table.present]
    numbers = [column for column in columns if column.field.kind != "timestamp"]
    found = table.row(_VALUES.substitute(counted=", ".join(_counted(columns, numbers))))
    constant = {c.name: found[f"least_{c.key}"] for c in columns if found[f"least_{c.key}"] == found[f"most_{c.key}"]}
    varied = [column for column in columns if column.name not in constant]
    missing = tuple(column.name for column in table.columns if column.key not in table.present)
    return FieldFacts(
        missing=missing,
        extra=table.extra,
        constant={name: value for name, value in constant.items() if value is not None},
        same=[(a.name, b.name) for a, b in _pairs(varied) if found[f"same_{a.key}_{b.key}"] == found["rows"]],
        derived=_derived(varied, found),
        correlations={
            (a.name, b.name): value
            for a, b in combinations([column for column in numbers if column in varied], 2)
            if (value := found[f"corr_{a.key}_{b.key}"]) is not None
        },
        magnitudes={c.name: found[f"size_{c.key}"] for c in numbers if found[f"size_{c.key}"]},
        tells=_tells(table, [column for column in varied if not _is_period(column)]),
        knows=_knows(table, [column for column in numbers if column in varied]),
    )


def _is_period(column: Column) -> bool:
    return column.field.role in ("start", "end")


def _pairs(columns: Sequence[Column]) -> list[tuple[Column, Column]]:
    return [(a, b) for a, b in combinations(columns, 2) if a.field.kind == b.field.kind]


def _counted(columns: Sequence[Column], numbers: Sequence[Column]) -> list[str]:
    ends = [f"min({quoted(c.key)}) AS least_{c.key}, max({quoted(c.key)}) AS most_{c.key}" for c in columns]
    same = [f"count(*) FILTER ({quoted(a.key)} = {quoted(b.key)}) AS same_{a.key}_{b.key}" for a, b in _pairs(columns)]
    times = [column for column in columns if column.field.kind == "timestamp"]
    apart = [
        f"min({quoted(b.key)} - {quoted(a.key)}) AS near_{a.key}_{b.key}, "
        f"max({quoted(b.key)} - {quoted(a.key)}) AS far_{a.key}_{b.key}"
        for a, b in combinations(times, 2)
    ]
    sizes = [f"avg(abs({quoted(c.key)})) AS size_{c.key}" for c in numbers]
    alike = [f"corr({quoted(a.key)}, {quoted(b.key)}) AS corr_{a.key}_{b.key}" for a, b in combinations(numbers, 2)]
    return [*ends, *same, *apart, *sizes, *alike]


def _derived(columns: Sequence[Column], found: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the pairs of times of which the second is always just as long after the first."""
    times = [column for column in columns if column.field.kind == "timestamp"]
    return [
        (a.name, b.name)
        for a, b in combinations(times, 2)
        if found[f"near_{a.key}_{b.key}"] == found[f"far_{a.key}_{b.key}"] not in (None, 0)
    ]


def _told(column: Column) -> str:
    """Return what a field says beside the close, as a deviation of which none is meant by 0."""
    key = quoted(column.key)
    if column.field.role == "close":
        return "move"
    if column.field.role in ("open", "high", "low"):
        return f"{key} / close - 1"
    return f"ln(1 + {key})" if column.field.kind != "timestamp" else f"({key} - start) / 1e9"


def _tells(table: Table, columns: Sequence[Column]) -> dict[str, Correlation]:
    """Correlate each field's saying with the move after it."""
    if not columns:
        return {}
    said = ", ".join(f"lag({_told(column)}) OVER () AS t_{column.key}" for column in columns)
    means = table.row(
        f"SELECT {', '.join(f'avg({_told(c)}) AS m_{c.key}, stddev_pop({_told(c)}) AS d_{c.key}' for c in columns)} "
        f"FROM ({moves_query(table)})"
    )
    kept = [column for column in columns if means[f"d_{column.key}"]]
    sums = ", ".join(
        f"sum(next * (t_{c.key} - {means[f'm_{c.key}']!r})) AS s_{c.key}, "
        f"sum((next * (t_{c.key} - {means[f'm_{c.key}']!r})) ** 2) AS v_{c.key}, "
        f"sum((t_{c.key} - {means[f'm_{c.key}']!r}) ** 2) AS q_{c.key}"
        for c in kept
    )
    if not sums:
        return {}
    found = table.row(_NEXT.substitute(sums=sums, told=said, moves=moves_query(table)))
    scales = {c: (found["squares"] or 0.0) ** 0.5 * (found[f"q_{c.key}"] or 0.0) ** 0.5 for c in kept}
    return {c.name: correlation(found, c.key, scale) for c, scale in scales.items() if scale}


def _knows(table: Table, columns: Sequence[Column]) -> dict[str, float]:
    """Return for each field, and each that the profile does not know, how often it was the next close before it was."""
    keys = {c.name: c.key for c in columns if c.field.role != "close"}
    keys |= {name: f"extra_{place}" for place, name in enumerate(table.extra)}
    if not keys:
        return {}
    before = ", ".join(f"lag({quoted(key)}) OVER () AS {quoted(f'b_{key}')}" for key in keys.values())
    equal = ", ".join(
        f"count(*) FILTER (move <> 0 AND {quoted(f'b_{key}')} = close) AS {quoted(f'n_{key}')}" for key in keys.values()
    )
    found = table.row(_AHEAD.substitute(equal=equal, before=before, moves=moves_query(table)))
    return {name: found[f"n_{key}"] / found["moves"] for name, key in keys.items()} if found["moves"] else {}
