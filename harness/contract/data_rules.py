"""Which data rules a window breaks: our own reading of D1 to D11, against which breaches and refusals are held."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.contract.records import SECOND_NS, moment_ns
from harness.contract.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.contract.profile import FieldRule, WindowRule
    from harness.contract.records import Value, Window


# A container's clock and ours may differ, and a request takes time to arrive: this far beyond a limit it is broken.
CLOCK_SLACK_S = 2


def broken_rules(rule: WindowRule, window: Window, *, now_s: float) -> set[str]:
    """Return the ids of the data rules that a window breaks at a moment (Unix time, seconds); empty for a good one."""
    return broken_between(rule, window, from_s=now_s, to_s=now_s)[0]


def broken_between(rule: WindowRule, window: Window, *, from_s: float, to_s: float) -> tuple[set[str], set[str]]:
    """Return the rules that a window breaks throughout some time, and those that it breaks at either of its ends."""
    ordered = rule.ordered
    broken = {found for record in window.records for found in _of_record(rule, ordered, record)}
    throughout, ever = _together_between(rule, window, from_s=from_s, to_s=to_s)
    return broken | throughout, broken | ever


def broken_together(rule: WindowRule, window: Window, *, now_s: float) -> set[str]:
    """Return the ids of the data rules that records break as a window at a moment, whatever each breaks by itself."""
    return _together_between(rule, window, from_s=now_s, to_s=now_s)[0]


def allowed_dimensions(broken: Iterable[str]) -> set[str]:
    """Return the dimensions that a refusal may name: any of any broken rule."""
    return {dimension for rule_id in broken for dimension in RULES[rule_id].dimensions}


def broken_in_record(rule: WindowRule, record: Mapping[str, Value]) -> set[str]:
    """Return the ids of the data rules that one record breaks by itself."""
    return _of_record(rule, rule.ordered, record)


# Every record of every window comes through here, and nearly all are good: no generator is made for those.
def _of_record(rule: WindowRule, ordered: Sequence[tuple[str, str]], record: Mapping[str, Value]) -> set[str]:
    broken, sortable = set[str](), dict[str, float | None]()
    for name, field in rule.fields.items():
        value = record.get(name)
        sortable[name] = number = moment_ns(value) if field.kind == "timestamp" else _number(field, value)
        if number is None:
            broken.update(_of_no_number(record, name))
        elif field.kind != "timestamp":
            broken.update(_of_number(field, number))
    for lower, upper in ordered:
        low, high = sortable[lower], sortable[upper]
        if low is not None and high is not None and low > high:
            broken.add("D8" if rule.fields[lower].kind == "timestamp" else "D3")
    return broken


def _of_no_number(record: Mapping[str, Value], name: str) -> tuple[str, ...]:
    """Judge a field that holds neither a number nor a moment, as it ought to."""
    if name not in record:
        return ("D1",)
    if record[name] is None:
        return ("D4",)
    # A cell of blanks may be taken for an empty one.
    return ("D2",) if str(record[name]).strip() else ("D2", "D4")


def _of_number(field: FieldRule, number: float) -> tuple[str, ...]:
    is_low = (field.above is not None and number <= field.above) or (field.least is not None and number < field.least)
    signed = ("D3",) if is_low else ()
    if field.plausible is not None and not field.plausible[0] <= number <= field.plausible[1]:
        return (*signed, "D11")
    return signed


def _number(field: FieldRule, value: Value) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return None if field.kind == "integer" and value != int(value) else value


def _together_between(rule: WindowRule, window: Window, *, from_s: float, to_s: float) -> tuple[set[str], set[str]]:
    broken = {"D5"} if len(window.records) != rule.records else set[str]()
    periods = _periods(rule, window)
    known = [(begin, close) for begin, close in periods if begin is not None and close is not None]
    # Where a time cannot be read, its rule (D1, D2, D4) is broken, and nothing is said of the order.
    if len(known) == len(periods):
        broken |= set(_of_order(known, period_ns=round(rule.period_s * SECOND_NS)))
    ends = [close for _, close in known]
    first, last = (set(_of_age(rule, ends, now_s=now_s)) for now_s in (from_s, to_s))
    return broken | (first & last), broken | first | last


def _periods(rule: WindowRule, window: Window) -> list[tuple[int | None, int | None]]:
    """Return when each record begins and ends; none where records do not tell both."""
    start, end = rule.find("start"), rule.find("end")
    if start is None or end is None:
        return []
    return [(moment_ns(record.get(start)), moment_ns(record.get(end))) for record in window.records]


def _of_age(rule: WindowRule, ends: Sequence[int], *, now_s: float) -> Iterator[str]:
    """Judge the newest record; where records stand out of order, who takes the last for the newest is right too."""
    if not ends:
        return
    newest, last = max(ends), ends[-1]
    oldest_s = now_s - rule.max_age_s
    if newest < oldest_s * SECOND_NS or (last != newest and last < (oldest_s + CLOCK_SLACK_S) * SECOND_NS):
        yield "D9"
    if newest > (now_s + rule.max_ahead_s) * SECOND_NS:
        yield "D10"


def _of_order(periods: list[tuple[int, int]], *, period_ns: int) -> Iterator[str]:
    if any(close - begin != period_ns for begin, close in periods):
        yield "D8"
    by_begin = sorted(periods)
    if [begin for begin, _ in periods] != [begin for begin, _ in by_begin]:
        yield "D7"
    if any(later[0] - earlier[0] != period_ns or earlier[1] > later[0] for earlier, later in pairwise(by_begin)):
        yield "D6"
