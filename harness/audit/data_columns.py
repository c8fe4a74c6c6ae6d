"""The columns of a data set, named by what they are for, and how DuckDB reads each into a value or a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract.profile import FieldRule, WindowRule

TEXT = "VARCHAR"
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_NUMBERS = (*_WHOLE, "FLOAT", "DOUBLE", "DECIMAL")
# The contract's format: to the second, up to 9 digits of a fraction, UTC as a capital Z. DuckDB reads 24:00 as a time.
_IS_TIME = (
    "({x} LIKE '____-__-__T__:__:__%Z' AND length({x}) <> 21 AND length({x}) <= 30 AND substr({x}, 12, 2) < '24' "
    "AND (length({x}) = 20 OR substr({x}, 20, 1) = '.') AND TRY_CAST({x} AS TIMESTAMP_NS) IS NOT NULL)"
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
    for name, field in rule.fields.items():
        before = sum(one.field.role == field.role for one in found)
        key = f"{field.role}_{before + 1}" if before else str(field.role)
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


def expressions(types: Mapping[str, str], columns: tuple[Column, ...]) -> list[str]:
    """Return what to select for each column: its value, and its text where it is none; both NULL where it is empty.

    Values are DOUBLE, times are BIGINT nanoseconds since the epoch.
    """
    return [text for column in columns for text in _of(column, types.get(column.name))]


def extras(types: Mapping[str, str], columns: tuple[Column, ...]) -> tuple[str, ...]:
    """Return the names of the columns that the profile does not know and that hold numbers, or text."""
    known = {column.name for column in columns}
    return tuple(name for name, kind in types.items() if name not in known and _is_number(kind, or_text=True))


def extra_expressions(names: tuple[str, ...], types: Mapping[str, str]) -> list[str]:
    """Return what to select of the columns that the profile does not know: numbers, or NULL."""
    sources = (f"TRY_CAST({quoted(name)} AS DOUBLE)" if name in types else "CAST(NULL AS DOUBLE)" for name in names)
    return [f"{source} AS extra_{place}" for place, source in enumerate(sources)]


def _of(column: Column, kind: str | None) -> tuple[str, str]:
    key, name = quoted(column.key), quoted(column.name)
    is_time = column.field.kind == "timestamp"
    if kind is None:
        return (
            f"CAST(NULL AS {'BIGINT' if is_time else 'DOUBLE'}) AS {key}",
            f"CAST(NULL AS {TEXT}) AS {raw(column.key)}",
        )
    value, is_wrong = _time(name, kind) if is_time else _number(name, kind, is_whole=column.field.kind == "integer")
    wrong = f"CASE WHEN {is_wrong} THEN CAST({name} AS {TEXT}) END"
    return f"{value} AS {key}", f"{wrong} AS {raw(column.key)}"


def _time(name: str, kind: str) -> tuple[str, str]:
    """Return a time's value, and when it is wrong; a time in another format is wrong, and read if it can be."""
    if kind == TEXT:
        good = _IS_TIME.format(x=name)
        # Without a zone it is taken for UTC, whatever the zone of the machine.
        zoned, plain = f"epoch_ns(TRY_CAST({name} AS TIMESTAMPTZ))", f"epoch_ns(TRY_CAST({name} AS TIMESTAMP_NS))"
        other = f"CASE WHEN regexp_matches({name}, '{_HAS_ZONE}') THEN {zoned} ELSE {plain} END"
        value = f"CASE WHEN {good} THEN epoch_ns(TRY_CAST({name} AS TIMESTAMP_NS)) ELSE {other} END"
        return value, f"trim({name}) <> '' AND NOT {good}"
    if kind.startswith("TIMESTAMP"):
        return f"epoch_ns({name})", "FALSE"
    return "CAST(NULL AS BIGINT)", f"{name} IS NOT NULL"


def _number(name: str, kind: str, *, is_whole: bool) -> tuple[str, str]:
    if not _is_number(kind, or_text=True):
        return "CAST(NULL AS DOUBLE)", f"{name} IS NOT NULL"
    number = f"TRY_CAST({name} AS DOUBLE)"
    faults = [f"NOT isfinite({number})"] if kind not in _WHOLE else []
    if is_whole and kind not in _WHOLE:
        faults.append(f"{number} <> trunc({number})")
    if kind == TEXT:
        faults = [f"trim({name}) <> '' AND ({number} IS NULL OR contains({name}, '_') OR {' OR '.join(faults)})"]
    return f"CASE WHEN isfinite({number}) THEN {number} END", " OR ".join(faults) or "FALSE"


def _is_number(kind: str, *, or_text: bool) -> bool:
    return kind.partition("(")[0] in _NUMBERS or (or_text and kind == TEXT)
