"""Which rows of a data set break the data rules D2, D3, D4, D8 and D11 by themselves: how many, how, and examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.audit.data_columns import quoted, raw
from harness.audit.data_files import MOST_RAGGED
from harness.audit.finding import Finding, Severity
from harness.contract.records import SECOND_NS
from harness.contract.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.audit.data_columns import Column
    from harness.audit.data_table import Table
    from harness.audit.finding import Number

# One row in a thousand is too many to be left out unseen.
_MOST_FAULTY = 0.001
_EXAMPLES = 3
_KINDS = {"timestamp": "time in the contract's format", "number": "number", "integer": "whole number"}
_MENDS = {
    "D2": "Write numbers as numbers and times as ISO 8601 in UTC with Z; find out what wrote the others.",
    "D3": "Ask the vendor for these rows again: a model that learns from them learns a price that never was.",
    "D4": "Get the values, or carry the last close forward where there was no trade; never fill with 0.",
    "D8": "Check what the times mean: a row must be one period, its first and last event inside it, in that order.",
    "D11": "Check unit and symbol of these rows; leave out what is no price of this market.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One way to break a rule: `says` in words, `holds` as a condition of SQL on a row."""

    rule: str
    says: str
    holds: str
    shown: tuple[Column, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaches:
    """What was counted: rows by rule, and by each way of breaking it; example rows by rule."""

    rows: int
    ragged: int
    by_rule: Mapping[str, int]
    by_way: Mapping[str, Mapping[str, int]]
    examples: Mapping[str, Sequence[str]]


def breaches_asked(table: Table) -> list[str]:
    """Return what to ask of all rows: how many break a rule in each way, and how many in any."""
    ways = _by_rule(table)
    asked = [f"count_if({way.holds}) AS {rule}_{n}" for rule, some in ways.items() for n, way in enumerate(some)]
    return asked + [f"count_if({_any(some)}) AS {rule}" for rule, some in ways.items()]


def breaches_of(table: Table, found: Mapping[str, int]) -> Breaches:
    """Return the breaches that were found, with examples."""
    broken: dict[str, dict[Breach, int]] = {}
    for rule, ways in _by_rule(table).items():
        if found[rule]:
            counts = {way: found[f"{rule}_{n}"] for n, way in enumerate(ways)}
            broken[rule] = {way: count for way, count in counts.items() if count}
    return Breaches(
        rows=table.row_count,
        ragged=table.ragged,
        by_rule={rule: found[rule] for rule in broken},
        by_way={rule: {way.says: count for way, count in ways.items()} for rule, ways in broken.items()},
        examples={rule: _examples(table, [*ways]) for rule, ways in broken.items()},
    )


def _by_rule(table: Table) -> dict[str, list[Breach]]:
    ways = list(_ways(table))
    return {rule: [way for way in ways if way.rule == rule] for rule in sorted({way.rule for way in ways})}


def _any(ways: Sequence[Breach]) -> str:
    return " OR ".join(f"({way.holds})" for way in ways)


def _ways(table: Table) -> Iterator[Breach]:
    """Yield the ways in which a row by itself can break a rule, as far as its columns are there."""
    there = {column.name: column for column in table.columns if column.key in table.present}
    for column in there.values():
        yield from _of_column(column)
    for lower, upper in table.rule.ordered:
        if lower in there and upper in there:
            yield _of_pair(there[lower], there[upper])
    start, end = (there.get(table.rule.named(role)) for role in ("start", "end"))
    if start is not None and end is not None:
        says = f"{end.name} is not {start.name} + {table.rule.period_s:g} s"
        holds = f"{quoted(end.key)} - {quoted(start.key)} <> {round(table.rule.period_s * SECOND_NS)}"
        yield Breach(rule="D8", says=says, holds=holds, shown=(start, end))


def _of_pair(low: Column, high: Column) -> Breach:
    rule = "D8" if low.field.kind == "timestamp" else "D3"
    holds = f"{quoted(low.key)} > {quoted(high.key)}"
    return Breach(rule=rule, says=f"{low.name} > {high.name}", holds=holds, shown=(low, high))


def _of_column(column: Column) -> Iterator[Breach]:
    field, value, wrong = column.field, quoted(column.key), raw(column.key)

    def breach(rule: str, what: str, holds: str) -> Breach:
        return Breach(rule=rule, says=f"{column.name} {what}", holds=holds, shown=(column,))

    yield breach("D2", f"is no {_KINDS[field.kind]}", f"{wrong} IS NOT NULL")
    yield breach("D4", "is empty", f"{value} IS NULL AND {wrong} IS NULL")
    if field.above is not None:
        yield breach("D3", f"is not above {field.above:g}", f"{value} <= {field.above!r}")
    if field.least is not None:
        yield breach("D3", f"is below {field.least:g}", f"{value} < {field.least!r}")
    if field.plausible is not None:
        low, high = field.plausible
        yield breach("D11", f"is outside {low:g} to {high:g}", f"{value} NOT BETWEEN {low!r} AND {high!r}")


def _examples(table: Table, ways: Sequence[Breach]) -> list[str]:
    shown = {column.key: column for way in ways for column in way.shown}
    values = [
        f"coalesce({raw(key)}, {_written(column)}, 'empty') AS {quoted(f'shown_{key}')}"
        for key, column in shown.items()
    ]
    holds = [f"({way.holds}) AS way_{place}" for place, way in enumerate(ways)]
    rows = table.rows(
        f"SELECT number, {', '.join([*values, *holds])} FROM (SELECT row_number() OVER () AS number, * FROM records) "
        f"WHERE {_any(ways)} LIMIT {_EXAMPLES}"
    )
    return [_example(row, ways) for row in rows]


def _written(column: Column) -> str:
    value = quoted(column.key)
    return f"strftime(make_timestamp_ns({value}), '%Y-%m-%dT%H:%M:%S.%nZ')" if _is_time(column) else f"{value}::VARCHAR"


def _is_time(column: Column) -> bool:
    return column.field.kind == "timestamp"


def _example(row: Mapping[str, object], ways: Sequence[Breach]) -> str:
    way = next(way for place, way in enumerate(ways) if row[f"way_{place}"])
    values = ", ".join(f"{column.name} = {str(row[f'shown_{column.key}'])[:60]}" for column in way.shown)
    return f"row {row['number']}: {way.says} ({values})"


def breach_findings(breaches: Breaches) -> Iterator[Finding]:
    """Yield one finding a broken rule; lines that are no rows come first."""
    if breaches.ragged:
        share = breaches.ragged / (breaches.rows + breaches.ragged)
        counted = f"{breaches.ragged:,}" if breaches.ragged < MOST_RAGGED else f"at least {MOST_RAGGED:,}"
        yield Finding(
            id="format.lines_that_are_no_rows",
            severity=Severity.BLOCKS if share > _MOST_FAULTY else Severity.WARNS,
            says=f"{counted} lines ({share:.2%}) have too many or too few cells, a stray quote or no UTF-8.",
            advice="Write the file anew with a CSV writer; lines that were cut are lost, so get them again.",
            numbers={"lines": breaches.ragged, "share": share},
        )
    for rule, rows in breaches.by_rule.items():
        yield _broken(breaches, rule, rows)


def _broken(breaches: Breaches, rule: str, rows: int) -> Finding:
    share = rows / breaches.rows
    ways = sorted(breaches.by_way[rule].items(), key=lambda way: -way[1])
    told = "; ".join(f"{says} in {count:,}" for says, count in ways[:_EXAMPLES])
    numbers: dict[str, Number] = {"rows": rows, "share": share}
    numbers |= {f"example_{place}": example for place, example in enumerate(breaches.examples[rule], start=1)}
    return Finding(
        id=f"rules.{rule}",
        severity=Severity.BLOCKS if share > _MOST_FAULTY else Severity.WARNS,
        says=f"{rows:,} rows ({share:.2%}) break {rule} ({RULES[rule].sentence.rstrip('.')}): {told}.",
        advice=_MENDS[rule],
        numbers=numbers,
    )
