"""The fields of a data set beside each other: constant, the same, nearly so, and what they tell of the next move."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from string import Template
from typing import TYPE_CHECKING

from harness.audit.data_columns import quoted
from harness.audit.data_moves import Correlation, correlation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.audit.data_columns import Column
    from harness.audit.data_extremes import Extremes, Range
    from harness.audit.data_table import Table

# What each field says beside the last close, known when the next move is not: its share in the close, or itself.
_NEXT = Template("""
SELECT sum(next * next) AS squares, $sums FROM (
  SELECT move AS next, $told FROM stretches
) WHERE next IS NOT NULL
""")
_AHEAD = Template("""
SELECT count(*) FILTER (move <> 0) AS moves, $equal FROM (SELECT move, close, $before FROM stretches)
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


def measure_fields(table: Table, extremes: Extremes) -> FieldFacts:
    """Tell from the extremes what they tell, and the rest from stretches of the rows; files may lack fields."""
    columns = [column for column in table.columns if column.key in table.present]
    varied = [column for column in columns if len(set(extremes.ranges[column.key])) > 1]
    numbers = [column for column in varied if column.field.kind != "timestamp"]
    alike = _alike(table, numbers)
    return FieldFacts(
        missing=tuple(column.name for column in table.columns if column.key not in table.present),
        extra=table.extra,
        constant={
            c.name: value for c in columns if c not in varied and (value := extremes.ranges[c.key][0]) is not None
        },
        same=[(a.name, b.name) for a, b in _same(table, varied, extremes, alike)],
        derived=[(a.name, b.name) for a, b in _times(varied) if _is_fixed(extremes.between(a.key, b.key))],
        correlations={
            (a.name, b.name): value
            for a, b in combinations(numbers, 2)
            if (value := alike[f"corr_{a.key}_{b.key}"]) is not None
        },
        magnitudes={c.name: size for c in numbers if (size := alike[f"size_{c.key}"])},
        tells=_tells(table, [column for column in varied if column.field.role not in ("start", "end")]),
        knows=_knows(table, numbers),
    )


def _times(columns: Sequence[Column]) -> list[tuple[Column, Column]]:
    return list(combinations([column for column in columns if column.field.kind == "timestamp"], 2))


def _is_fixed(apart: Range) -> bool:
    return apart[0] == apart[1] and apart[0] not in (None, 0)


def _alike(table: Table, numbers: Sequence[Column]) -> Mapping[str, float | None]:
    """Return mean sizes, correlations, and how many rows differ, for all pairs of numbers, from stretches."""
    if not numbers:
        return {}
    asked = [f"avg(abs({quoted(c.key)})) AS size_{c.key}" for c in numbers]
    asked += [
        f"corr({quoted(a.key)}, {quoted(b.key)}) AS corr_{a.key}_{b.key}, {_differing(a, b)} AS unlike_{a.key}_{b.key}"
        for a, b in combinations(numbers, 2)
    ]
    return table.row(f"SELECT {', '.join(asked)} FROM stretches")


def _differing(a: Column, b: Column) -> str:
    return f"count(*) FILTER ({quoted(a.key)} IS DISTINCT FROM {quoted(b.key)})"


def _same(
    table: Table, columns: Sequence[Column], extremes: Extremes, alike: Mapping[str, float | None]
) -> list[tuple[Column, Column]]:
    """Return the pairs that are the same in every row; what the stretches suggest is seen to in all rows."""
    times = [(a, b) for a, b in _times(columns) if extremes.between(a.key, b.key) == (0, 0)]
    numbers = [column for column in columns if column.field.kind != "timestamp"]
    likely = [(a, b) for a, b in combinations(numbers, 2) if not alike[f"unlike_{a.key}_{b.key}"]]
    if not likely:
        return times
    asked = ", ".join(f"{_differing(a, b)} AS unlike_{place}" for place, (a, b) in enumerate(likely))
    found = table.row(f"SELECT {asked} FROM records")
    return times + [pair for place, pair in enumerate(likely) if not found[f"unlike_{place}"]]


def _told(column: Column) -> str:
    """Return what a field says beside the close, as a deviation of which none is meant by 0."""
    key = quoted(column.key)
    if column.field.role == "close":
        return "move"
    if column.field.role in ("open", "high", "low"):
        return f"{key} / close - 1"
    return f"ln(1 + greatest({key}, 0))" if column.field.kind != "timestamp" else f"({key} - start) / 1e9"


def _tells(table: Table, columns: Sequence[Column]) -> dict[str, Correlation]:
    """Correlate each field's saying with the move after it."""
    if not columns:
        return {}
    said = ", ".join(f"lag({_told(column)}) OVER () AS t_{column.key}" for column in columns)
    ends = ", ".join(f"avg({_told(c)}) AS m_{c.key}, stddev_pop({_told(c)}) AS d_{c.key}" for c in columns)
    means = table.row(f"SELECT {ends} FROM stretches")
    kept = [column for column in columns if means[f"d_{column.key}"]]
    sums = ", ".join(
        f"sum(next * (t_{c.key} - {means[f'm_{c.key}']!r})) AS s_{c.key}, "
        f"sum((next * (t_{c.key} - {means[f'm_{c.key}']!r})) ** 2) AS v_{c.key}, "
        f"sum((t_{c.key} - {means[f'm_{c.key}']!r}) ** 2) AS q_{c.key}"
        for c in kept
    )
    if not sums:
        return {}
    found = table.row(_NEXT.substitute(sums=sums, told=said))
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
    found = table.row(_AHEAD.substitute(equal=equal, before=before))
    return {name: found[f"n_{key}"] / found["moves"] for name, key in keys.items()} if found["moves"] else {}
