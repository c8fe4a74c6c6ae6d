"""Breaches of D5 to D10: records too few, too many, missing, twice, out of order, too old, ahead or at odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.contract.breach import (
    Breach,
    Kind,
    at_every_end,
    at_every_seam,
    edited,
    in_each_codec,
    move,
    period_ns,
    said,
)
from harness.contract.data_rules import CLOCK_SLACK_S
from harness.contract.records import SECOND_NS, Record, moment_ns, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from harness.contract.breach import Places
    from harness.contract.profile import WindowRule

    Edit = Callable[[list[Record]], list[Record]]
    # Which time is put how far from which.
    Put = tuple[str, str, int]

_YEARS_S = 10 * 365 * 86_400
_TIMES_TOO_OLD = (1.5, 60)
# Out of what nanoseconds since 1970 hold in 64 bits (1677 to 2262), which is what many read times into.
_BEFORE_ALL_S, _AFTER_ALL_S = 430 * 31_556_952, 300 * 31_556_952
# So many records too many at most: a body of them is still far from the limit of its size.
_MANY = 540


def another_length(rule: WindowRule) -> list[Kind]:
    """D5: records left out at either end, or older ones added."""
    # With too many of the newest left out the window would be stale as well.
    newest = st.integers(1, max(1, min(rule.records, int(rule.max_age_s / rule.period_s) // 2)))
    return [
        _counted(lambda count: _without_oldest(rule, count), st.integers(1, rule.records)),
        _counted(lambda count: _without_newest(rule, count), newest),
        _counted(lambda count: _with_older(rule, count), st.integers(1, rule.records)),
        _many_more(rule),
    ]


def _counted(breach_by: Callable[[int], Breach], counts: SearchStrategy[int]) -> Kind:
    return Kind(anywhere=counts.map(breach_by), always=in_each_codec([breach_by(1)]))


def _many_more(rule: WindowRule) -> Kind:
    """Return so many that whoever lists what is wrong, or guards its memory by the count, has much to do."""
    breach = _with_older(rule, min(9 * rule.records, _MANY))
    return Kind(anywhere=st.just(breach), always=in_each_codec([breach]))


def _without_oldest(rule: WindowRule, count: int) -> Breach:
    says = f"{rule.records - count} records, the oldest {count} left out"
    return Breach(rule="D5", says=says, edit=lambda records: records[count:])


def _without_newest(rule: WindowRule, count: int) -> Breach:
    says = f"{rule.records - count} records, the newest {count} left out"
    return Breach(rule="D5", says=says, edit=lambda records: records[: rule.records - count])


def _with_older(rule: WindowRule, count: int) -> Breach:
    def edit(records: list[Record]) -> list[Record]:
        older = [dict(records[0]) for _ in range(count)]
        for steps, record in enumerate(reversed(older), start=1):
            move(rule, record, -steps * period_ns(rule))
        return older + records

    return Breach(rule="D5", says=f"{rule.records + count} records, {count} older ones added", edit=edit)


def broken_rows(rule: WindowRule) -> list[Kind]:
    """D6: seconds that are missing, come twice or overlap."""

    def gap(place: int, periods: int = 1) -> Breach:
        edit = _moved_before(rule, place, -periods * period_ns(rule))
        return Breach(rule="D6", says=f"{periods} missing before record {place}", edit=edit)

    def repeated(place: int) -> Breach:
        says = f"record {place} repeats the one before it, and its own second is missing"
        return Breach(rule="D6", says=says, edit=lambda records: _copied(records, place, place - 1))

    return [
        at_every_seam(rule, gap, st.integers(1, 600)),
        at_every_seam(rule, lambda place: _twice(rule, place, is_same=True)),
        at_every_seam(rule, lambda place: _twice(rule, place, is_same=False)),
        at_every_seam(rule, repeated),
        *(at_every_seam(rule, _overlap(rule, by_ns)) for by_ns in (1, 1_000, 1_000_000, period_ns(rule) // 2)),
    ]


def _moved_before(rule: WindowRule, place: int, by_ns: int) -> Edit:
    return edited(range(place), lambda record: move(rule, record, by_ns))


def _copied(records: list[Record], place: int, source: int) -> list[Record]:
    records[place] = dict(records[source])
    return records


def _twice(rule: WindowRule, place: int, *, is_same: bool) -> Breach:
    """Let a second come twice where none is missing: the window begins a second later."""
    later = _moved_before(rule, place, period_ns(rule))
    how = "the same record" if is_same else "with other values"
    return Breach(
        rule="D6",
        says=f"the second of record {place} comes twice, {how}",
        edit=lambda records: _copied(later(records), place - 1, place) if is_same else later(records),
    )


def _overlap(rule: WindowRule, by_ns: int) -> Callable[[int], Breach]:
    return lambda place: Breach(
        rule="D6",
        says=f"record {place} begins {by_ns} ns before its predecessor ends",
        edit=_moved_before(rule, place, by_ns),
    )


def another_order(rule: WindowRule) -> list[Kind]:
    """D7: records that are not oldest first."""
    last = rule.records - 1
    places = st.lists(st.integers(0, last), min_size=2, max_size=2, unique=True)
    ends = in_each_codec([_swapped(0, last)])
    newest_first = Breach(rule="D7", says="newest first", edit=lambda records: records[::-1])
    return [
        at_every_seam(rule, lambda place: _swapped(place - 1, place)),
        Kind(anywhere=places.map(lambda pair: _swapped(*pair)), always=ends),
        Kind(anywhere=st.just(newest_first), always=in_each_codec([newest_first])),
    ]


def _swapped(first: int, second: int) -> Breach:
    def edit(records: list[Record]) -> list[Record]:
        records[first], records[second] = records[second], records[first]
        return records

    return Breach(rule="D7", says=f"records {first} and {second} swapped", edit=edit)


def contradictory_times(rule: WindowRule) -> list[Kind]:
    """D8: a record that lasts no period, or whose events lie outside of it or in the wrong order."""
    ways = {**_other_lengths(rule), **_stray_events(rule)}
    return [_contradictory(rule, how, way, turn=turn) for turn, (how, way) in enumerate(ways.items())]


def _other_lengths(rule: WindowRule) -> dict[str, Put]:
    start, end = rule.named("start"), rule.named("end")
    half_ns, whole_ns = period_ns(rule) // 2, period_ns(rule)
    return {
        f"{end} is {start}": (end, start, 0),
        **{f"{end} is {-by_ns} ns early": (end, end, by_ns) for by_ns in (-half_ns, -1_000_000, -1)},
        **{f"{end} is {by_ns} ns late": (end, end, by_ns) for by_ns in (whole_ns, half_ns, 1_000_000, 1)},
    }


def _stray_events(rule: WindowRule) -> dict[str, Put]:
    """Return ways for the events that records have, if any."""
    of_role = {field.role: name for name, field in rule.fields.items()}
    start, end = of_role["start"], of_role["end"]
    first, last = of_role.get("first_event"), of_role.get("last_event")
    stray: dict[str, Put] = {}
    if first is not None:
        stray |= {f"{first} lies {-by_ns} ns before {start}": (first, start, by_ns) for by_ns in (-SECOND_NS, -1)}
    if last is not None:
        stray |= {f"{last} lies {by_ns} ns after {end}": (last, end, by_ns) for by_ns in (SECOND_NS, 1)}
    if first is not None and last is not None:
        stray[f"{first} lies 1 ns after {last}"] = (first, last, 1)
    return stray


def _contradictory(rule: WindowRule, how: str, way: Put, *, turn: int) -> Kind:
    changed, source, by_ns = way

    def change(record: Record) -> None:
        record[changed] = timestamp((moment_ns(record[source]) or 0) + by_ns)

    def contradictory(places: Places) -> Breach:
        return Breach(rule="D8", says=f"{said(places)}: {how}", edit=edited(places, change))

    return at_every_end(rule, contradictory, turn=turn)


def stale(rule: WindowRule) -> list[Kind]:
    """D9: a whole window that is too old."""
    least = int(rule.max_age_s) + CLOCK_SLACK_S
    older = [-max(least, round(times * rule.max_age_s)) for times in _TIMES_TOO_OLD]
    return [_moved(rule, "D9", [-least, *older, -_BEFORE_ALL_S], st.integers(least, _YEARS_S).map(lambda s: -s))]


def ahead(rule: WindowRule) -> list[Kind]:
    """D10: a whole window that lies in the future."""
    least = int(rule.max_ahead_s) + CLOCK_SLACK_S
    return [_moved(rule, "D10", [least, 15 * least, 900 * least, _AFTER_ALL_S], st.integers(least, _YEARS_S))]


def _moved(rule: WindowRule, rule_id: str, always_s: list[int], by_s: SearchStrategy[int]) -> Kind:
    def moved(seconds: int) -> Breach:
        everywhere = edited(range(rule.records), lambda record: move(rule, record, seconds * SECOND_NS))
        return Breach(rule=rule_id, says=f"all times moved by {seconds:+d} s", edit=everywhere)

    return Kind(anywhere=by_s.map(moved), always=in_each_codec(map(moved, always_s)))
