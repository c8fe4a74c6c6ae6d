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


def measure_breaches(table: Table) -> Breaches:
    """Count in one pass, and look for examples of what was found."""
    ways = [way for way in _ways(table) if all(column.key in table.present for column in way.shown)]
    rules = list(dict.fromkeys(way.rule for way in ways))
    any_of = {rule: " OR ".join(f"({way.holds})" for way in ways if way.rule == rule) for rule in rules}
    counted = [f"count(*) FILTER ({holds}) AS {rule}" for rule, holds in any_of.items()]
    counted += [f"count(*) FILTER ({way.holds}) AS way_{place}" for place, way in enumerate(ways)]
    found = table.row(f"SELECT count(*) AS rows, {', '.join(counted)} FROM records")
    by_rule = {rule: found[rule] for rule in rules if found[rule]}
    return Breaches(
        rows=found["rows"],
        ragged=table.ragged,
        by_rule=by_rule,
        by_way={
            rule: {
                way.says: found[f"way_{place}"]
                for place, way in enumerate(ways)
                if way.rule == rule and found[f"way_{place}"]
            }
            for rule in by_rule
        },
        examples={rule: _examples(table, [way for way in ways if way.rule == rule], any_of[rule]) for rule in by_rule},
    )


def _ways(table: Table) -> Iterator[Breach]:
    for column in table.columns:
        yield from _of_column(column)
    by_name = {column.name: column for column in table.columns}
    for lower, upper in table.rule.ordered:
        low, high = by_name[lower], by_name[upper]
        rule = "D8" if low.field.kind == "timestamp" else "D3"
        holds = f"{quoted(low.key)} > {quoted(high.key)}"
        yield Breach(rule=rule, says=f"{lower} > {upper}", holds=holds, shown=(low, high))
    start, end = (by_name[table.rule.named(role)] for role in ("start", "end"))
    period_ns = round(table.rule.period_s * SECOND_NS)
    says = f"{end.name} is not {start.name} + {table.rule.period_s:g} s"
    holds = f"{quoted(end.key)} - {quoted(start.key)} <> {period_ns}"
    yield Breach(rule="D8", says=says, holds=holds, shown=(start, end))


def _of_column(column: Column) -> Iterator[Breach]:
    value, wrong, field = quoted(column.key), raw(column.key), column.field

    def breach(rule: str, what: str, holds: str) -> Breach:
        return Breach(rule=rule, says=f"{column.name} {what}", holds=holds, shown=(column,))

    kinds = {"timestamp": "time in the contract's format", "number": "number", "integer": "whole number"}
    yield breach("D2", f"is no {kinds[field.kind]}", f"{wrong} IS NOT NULL")
    yield breach("D4", "is empty", f"{value} IS NULL AND {wrong} IS NULL")
    if field.above is not None:
        yield breach("D3", f"is not above {field.above:g}", f"{value} <= {field.above!r}")
    if field.least is not None:
        yield breach("D3", f"is below {field.least:g}", f"{value} < {field.least!r}")
    if field.plausible is not None:
        least, most = field.plausible
        yield breach("D11", f"is outside {least:g} to {most:g}", f"{value} NOT BETWEEN {least!r} AND {most!r}")


def _examples(table: Table, ways: Sequence[Breach], any_of: str) -> list[str]:
    shown = {column.key: column for way in ways for column in way.shown}
    values = [
        f"coalesce({raw(key)}, {_written(column)}, 'empty') AS {quoted(f'shown_{key}')}"
        for key, column in shown.items()
    ]
    holds = [f"({way.holds}) AS way_{place}" for place, way in enumerate(ways)]
    rows = table.rows(
        f"SELECT number, {', '.join([*values, *holds])} FROM (SELECT row_number() OVER () AS number, * FROM records) "
        f"WHERE {any_of} LIMIT {_EXAMPLES}"
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
