"""The columns of a data set, named by what they are for, and how DuckDB reads each into a value or a fault."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract.profile import FieldRule, WindowRule

TEXT = "VARCHAR"
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_NUMBERS = (*_WHOLE, "FLOAT", "DOUBLE", "DECIMAL")
# Of these types every value is one of the field's kind.
_ALWAYS_GOOD = {"timestamp": ("TIMESTAMP_NS",), "number": _WHOLE, "integer": _WHOLE}
# The contract's format: to the second, up to 9 digits of a fraction, UTC as a capital Z. DuckDB reads 24:00 as the next
# midnight. Most times have a fraction, and most are no midnight: what is seldom needed is asked last.
_IS_TIME = (
    "(CASE WHEN {x} LIKE '____-__-__T__:__:__.%Z' THEN strlen({x}) BETWEEN 22 AND 30 "
    "ELSE {x} LIKE '____-__-__T__:__:__Z' END "
    "AND CASE WHEN {read} % 86400000000000 < 1000000000 THEN substr({x}, 12, 2) < '24' ELSE {read} IS NOT NULL END)"
)
_HAS_ZONE = r":[0-9.]+ *([zZ]|[+-][0-9:]+)$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the profile's window: its `name` in the files, and its `key` in every query, which is its role."""

    key: str
    name: str
    field: FieldRule


def columns_of(rule: WindowRule) -> tuple[Column, ...]:
    """Return the profile's columns; a role that comes again is counted on: `close`, `close_2`."""
    found: list[Column] = []
    seen = Counter[str]()
    for name, field in rule.fields.items():
        # What is predicted is the close to every query, be it a candle's or the one value of a record.
        role = "close" if name == rule.target else str(field.role)
        seen[role] += 1
        key = f"{role}_{seen[role]}" if seen[role] > 1 else role
        found.append(Column(key=key, name=name, field=field))
    return tuple(found)


def quoted(name: str) -> str:
    """Write a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Write a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def raw(key: str) -> str:
    """Return the name of the column that holds what was written where that is no value of its kind."""
    return f"raw_{key}"


def is_typed(types: Mapping[str, str], columns: tuple[Column, ...]) -> bool:
    """Whether a file of these columns' types can be asked as it is, without being read from text first."""
    return not any(types.get(column.name) == TEXT for column in columns)


def selection(
    types: Mapping[str, str],
    columns: tuple[Column, ...],
    extra: tuple[str, ...],
    source: str,
    *,
    beside: tuple[str, ...] = (),
) -> str:
    """Return the query of a source's values: for each column its value, and its text where it is none.

    Values are DOUBLE, times are BIGINT nanoseconds since the epoch; both are NULL where a cell is empty. Each cell is
    read once, judged once around that, and looked at again only where it is no good. What is `beside` stays.
    """
    kinds = {column: types.get(column.name) for column in columns}
    read = ", ".join(["*", *(f"{_read(column, kind)} AS {_reading(column)}" for column, kind in kinds.items())])
    judged = ", ".join(["*", *(f"{_is_good(column, kind)} AS {_judging(column)}" for column, kind in kinds.items())])
    kept = [*beside]
    kept += [text for column, kind in kinds.items() for text in (_value(column, kind), _wrong(column, kind))]
    for place, name in enumerate(extra):
        number = f"TRY_CAST({quoted(name)} AS DOUBLE)" if name in types else "NULL::DOUBLE"
        kept.append(f"{number} AS extra_{place}")
    return f"SELECT {', '.join(kept)} FROM (SELECT {judged} FROM (SELECT {read} FROM {source}))"


def extras(types: Mapping[str, str], columns: tuple[Column, ...]) -> tuple[str, ...]:
    """Return the names of the columns that the profile does not know and that hold numbers, or text."""
    known = {column.name for column in columns}
    return tuple(name for name, kind in types.items() if name not in known and _is_number(kind, or_text=True))


def _reading(column: Column) -> str:
    return f"__read_{column.key}"


def _judging(column: Column) -> str:
    return f"__good_{column.key}"


def _read(column: Column, kind: str | None) -> str:
    """Return a cell as a value of the column's kind, NULL where it is none."""
    name = quoted(column.name)
    if column.field.kind != "timestamp":
        return f"TRY_CAST({name} AS DOUBLE)" if kind and _is_number(kind, or_text=True) else "NULL::DOUBLE"
    if kind == TEXT:
        return f"epoch_ns(TRY_CAST({name} AS TIMESTAMP_NS))"
    return f"epoch_ns({name})" if kind and kind.startswith("TIMESTAMP") else "NULL::BIGINT"


def _is_good(column: Column, kind: str | None) -> str:
    """Return the condition that a cell is a value of its kind, or empty."""
    name, read = quoted(column.name), _reading(column)
    if kind is None:
        return "TRUE"
    if kind in _ALWAYS_GOOD[column.field.kind]:
        return "TRUE"
    if column.field.kind == "timestamp":
        return _IS_TIME.format(x=name, read=read) if kind == TEXT else f"({read} IS NOT NULL OR {name} IS NULL)"
    if not _is_number(kind, or_text=True):
        return f"{name} IS NULL"
    good = f"isfinite({read})"
    if column.field.kind == "integer":
        good += f" AND {read} = trunc({read})"
    return f"{good} AND NOT contains({name}, '_')" if kind == TEXT else good


def _value(column: Column, kind: str | None) -> str:
    """Return the value that counts: that of a good cell, and of another one where it can be read all the same."""
    name, read, key = quoted(column.name), _reading(column), quoted(column.key)
    if column.field.kind == "timestamp" and kind == TEXT:
        # Without a zone it is UTC, whatever this machine's is.
        zoned = f"WHEN regexp_matches({name}, '{_HAS_ZONE}') THEN epoch_ns(TRY_CAST({name} AS TIMESTAMPTZ))"
        return f"CASE WHEN {_judging(column)} THEN {read} {zoned} ELSE {read} END AS {key}"
    if column.field.kind == "timestamp" or kind is None or kind in _WHOLE:
        return f"{read} AS {key}"
    return f"CASE WHEN isfinite({read}) THEN {read} END AS {key}"


def _wrong(column: Column, kind: str | None) -> str:
    """Return what was written where it is no good; of text, blanks are taken for an empty cell."""
    name, judging, key = quoted(column.name), _judging(column), raw(column.key)
    if kind is None or kind in _ALWAYS_GOOD[column.field.kind]:
        return f"NULL::{TEXT} AS {key}"
    if kind == TEXT:
        return f"CASE WHEN {judging} THEN NULL WHEN trim({name}) <> '' THEN {name} END AS {key}"
    return f"CASE WHEN NOT {judging} THEN CAST({name} AS {TEXT}) END AS {key}"


def _is_number(kind: str, *, or_text: bool) -> bool:
    return kind.partition("(")[0] in _NUMBERS or (or_text and kind == TEXT)
