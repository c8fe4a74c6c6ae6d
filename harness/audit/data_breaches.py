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
    from harness.audit.data_extremes import Extremes
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


def measure_breaches(table: Table, extremes: Extremes) -> Breaches:
    """Count the breaches that the extremes show to be there, and look for examples."""
    ways = list(_ways(table, extremes))
    counts: dict[str, int] = {}
    by_rule = {rule: [way for way in ways if way.rule == rule] for rule in sorted({way.rule for way in ways})}
    if ways:
        asked = [f"count(*) FILTER ({way.holds}) AS way_{place}" for place, way in enumerate(ways)]
        asked += [f"count(*) FILTER ({_any(some)}) AS {rule}" for rule, some in by_rule.items()]
        counts = table.row(f"SELECT {', '.join(asked)} FROM records")
    return Breaches(
        rows=extremes.rows,
        ragged=table.ragged,
        by_rule={rule: counts[rule] for rule in by_rule},
        by_way={
            rule: {way.says: counts[f"way_{place}"] for place, way in enumerate(ways) if way.rule == rule}
            for rule in by_rule
        },
        examples={rule: _examples(table, some) for rule, some in by_rule.items()},
    )


def _any(ways: Sequence[Breach]) -> str:
    return " OR ".join(f"({way.holds})" for way in ways)


def _ways(table: Table, extremes: Extremes) -> Iterator[Breach]:
    """Yield the ways to break a rule that some row takes."""
    there = {column.name: column for column in table.columns if column.key in table.present}
    for column in there.values():
        yield from _of_column(column, extremes)
    for lower, upper in table.rule.ordered:
        if lower in there and upper in there:
            yield from _of_pair(there[lower], there[upper], extremes)
    start, end = (there.get(table.rule.named(role)) for role in ("start", "end"))
    period_ns = round(table.rule.period_s * SECOND_NS)
    if (
        start is not None
        and end is not None
        and extremes.between(start.key, end.key)
        not in {
            (period_ns, period_ns),
            (None, None),
        }
    ):
        says = f"{end.name} is not {start.name} + {table.rule.period_s:g} s"
        holds = f"{quoted(end.key)} - {quoted(start.key)} <> {period_ns}"
        yield Breach(rule="D8", says=says, holds=holds, shown=(start, end))


def _of_pair(low: Column, high: Column, extremes: Extremes) -> Iterator[Breach]:
    nearest, _ = extremes.between(low.key, high.key)
    if nearest is not None and nearest < 0:
        rule = "D8" if low.field.kind == "timestamp" else "D3"
        holds = f"{quoted(low.key)} > {quoted(high.key)}"
        yield Breach(rule=rule, says=f"{low.name} > {high.name}", holds=holds, shown=(low, high))


def _of_column(column: Column, extremes: Extremes) -> Iterator[Breach]:
    key, field = column.key, column.field
    value, wrong = quoted(key), raw(key)

    def breach(rule: str, what: str, holds: str) -> Breach:
        return Breach(rule=rule, says=f"{column.name} {what}", holds=holds, shown=(column,))

    if extremes.wrong[key]:
        yield breach("D2", f"is no {_KINDS[field.kind]}", f"{wrong} IS NOT NULL")
    if extremes.empty(key):
        yield breach("D4", "is empty", f"{value} IS NULL AND {wrong} IS NULL")
    least, most = extremes.ranges[key]
    if least is None or most is None:
        return
    if field.above is not None and least <= field.above:
        yield breach("D3", f"is not above {field.above:g}", f"{value} <= {field.above!r}")
    if field.least is not None and least < field.least:
        yield breach("D3", f"is below {field.least:g}", f"{value} < {field.least!r}")
    if field.plausible is not None and not field.plausible[0] <= least <= most <= field.plausible[1]:
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
