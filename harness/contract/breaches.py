"""Hypothesis strategies, one a data rule: a good window, broken in just that way, anywhere in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import strategies as st

from harness.contract.data_rules import CLOCK_SLACK_S
from harness.contract.records import SECOND_NS, Codec, Record, Window, moment_ns, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

    from harness.contract.profile import WindowRule

Kinds: TypeAlias = "Sequence[SearchStrategy[Breach]]"
_YEAR_S = 365 * 86_400
_BOTH: tuple[Codec, ...] = ("json", "csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One way to break a window: which rule, in words, as an edit of its records, and the codecs that can carry it."""

    rule: str
    says: str
    edit: Callable[[list[Record]], list[Record]]
    codecs: tuple[Codec, ...] = _BOTH

    def __repr__(self) -> str:
        """Show the words: Hypothesis prints them for a failing example."""
        return f"<{self.rule}: {self.says}>"

    def of(self, window: Window) -> Window:
        """Return the window, broken."""
        return Window(records=tuple(self.edit(window.editable())))


def breaches(rule: WindowRule) -> Mapping[str, SearchStrategy[Breach]]:
    """Return one strategy of breaches for each data rule, by its id."""
    return {rule_id: st.one_of(list(kinds)) for rule_id, kinds in kinds_of_breaches(rule).items()}


def kinds_of_breaches(rule: WindowRule) -> Mapping[str, Kinds]:
    """Return, for each data rule, a strategy for every kind of breach: a container may catch one and miss the next."""
    stale = st.integers(int(rule.max_age_s) + CLOCK_SLACK_S, 10 * _YEAR_S).map(lambda s: -s)
    return {
        "D1": [_missing_field(rule, name) for name in rule.fields],
        "D2": _wrong_types(rule),
        "D3": [*_impossible_values(rule), *_crossings(rule)],
        "D4": [_null(rule, name) for name in rule.fields],
        "D5": [_too_few(rule), _too_many(rule)],
        "D6": [_gap(rule), _twice(rule), _repeated(rule), _overlap(rule)],
        "D7": [_swapped(rule), st.just(Breach(rule="D7", says="newest first", edit=lambda r: r[::-1]))],
        "D8": _contradictory_times(rule),
        "D9": [_moved(rule, "D9", stale)],
        "D10": [_moved(rule, "D10", st.integers(int(rule.max_ahead_s) + CLOCK_SLACK_S, 10 * _YEAR_S))],
        "D11": _implausible(rule),
    }


def _places(rule: WindowRule) -> SearchStrategy[tuple[int, ...]]:
    """Draw which records are hit: the first, the last, the middle, any one, many, all."""
    last = rule.records - 1
    # The middle first: it is what the simplest example hits, and what looks at the first or the last alone misses.
    one = st.sampled_from([(last // 2,), (0,), (last,)])
    some = st.lists(st.integers(0, last), min_size=1, max_size=rule.records, unique=True).map(sorted).map(tuple)
    return st.one_of(one, some, st.just(tuple(range(rule.records))))


def _edited(places: Sequence[int], change: Callable[[Record], None]) -> Callable[[list[Record]], list[Record]]:
    def edit(records: list[Record]) -> list[Record]:
        for place in places:
            change(records[place])
        return records

    return edit


def _said(places: Sequence[int]) -> str:
    if len(places) == 1:
        return f"record {places[0]}"
    return f"records {places[0]}..{places[-1]} ({len(places)} of them)"


def _set(name: str, value: object) -> Callable[[Record], None]:
    return lambda record: record.update({name: value})


def _null(rule: WindowRule, name: str) -> SearchStrategy[Breach]:
    def null(places: Sequence[int]) -> Breach:
        return Breach(rule="D4", says=f"{_said(places)}: {name} is null", edit=_edited(places, _set(name, None)))

    return _places(rule).map(null)


def _missing_field(rule: WindowRule, name: str) -> SearchStrategy[Breach]:
    def missing(places: Sequence[int]) -> Breach:
        # CSV has one header for all rows: it can only leave out a whole column.
        codecs: tuple[Codec, ...] = _BOTH if len(places) == rule.records else ("json",)
        edit = _edited(places, lambda record: _drop(record, name))
        return Breach(rule="D1", says=f"{_said(places)}: no {name}", edit=edit, codecs=codecs)

    everywhere = tuple(range(rule.records))
    return st.one_of(_places(rule), st.just(everywhere)).map(missing)


def _drop(record: Record, name: str) -> None:
    del record[name]


def _wrong_types(rule: WindowRule) -> Kinds:
    numbers = rule.of_kind("number", "integer")
    groups: list[tuple[tuple[str, ...], Mapping[str, Callable[[object], object]], tuple[Codec, ...]]] = [
        (rule.of_kind("timestamp"), _BAD_TIMES, _BOTH),
        (numbers, _BAD_NUMBERS, _BOTH),
        (numbers, _BAD_JSON_NUMBERS, ("json",)),
        (numbers, _BAD_CSV_NUMBERS, ("csv",)),
        (rule.of_kind("integer"), _NOT_WHOLE, _BOTH),
    ]
    return [
        _changed(rule, name, how, change, codecs)
        for names, changes, codecs in groups
        for how, change in changes.items()
        for name in names
    ]


_NOT_WHOLE: dict[str, Callable[[object], object]] = {"no whole number": lambda value: float(str(value)) + 0.5}
_BAD_TIMES: dict[str, Callable[[object], object]] = {
    "without Z": lambda text: str(text)[:-1],
    "with an offset for Z": lambda text: f"{str(text)[:-1]}+00:00",
    "with a space for T": lambda text: str(text).replace("T", " "),
    "a day alone": lambda text: str(text)[:10],
    "in month 13": lambda text: f"{str(text)[:5]}13{str(text)[7:]}",
    "on 30 February": lambda text: f"{str(text)[:5]}02-30{str(text)[10:]}",
    "at hour 25": lambda text: f"{str(text)[:11]}25{str(text)[13:]}",
    "with 10 fraction digits": lambda text: f"{str(text)[:19]}.{'0' * 10}Z",
    "no time": lambda _: "yesterday",
    "seconds since the epoch": lambda text: (moment_ns(text) or 0) // SECOND_NS,
    "true": lambda _: True,
}
_BAD_NUMBERS: dict[str, Callable[[object], object]] = {
    "a word": lambda _: "many",
    "true": lambda _: True,
    "false": lambda _: False,
    "a timestamp": lambda _: "2020-01-01T00:00:00Z",
}
_BAD_JSON_NUMBERS: dict[str, Callable[[object], object]] = {
    "a number as a string": str,
    "a list": lambda value: [value],
    "an object": lambda value: {"value": value},
    "an empty string": lambda _: "",
}
_BAD_CSV_NUMBERS: dict[str, Callable[[object], object]] = {
    text: (lambda _, text=text: text)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    for text in ("nan", "NaN", "inf", "-inf", "Infinity")
}


def _changed(
    rule: WindowRule, name: str, how: str, change: Callable[[object], object], codecs: tuple[Codec, ...]
) -> SearchStrategy[Breach]:
    def changed(places: Sequence[int]) -> Breach:
        edit = _edited(places, lambda record: record.update({name: change(record[name])}))
        return Breach(rule="D2", says=f"{_said(places)}: {name} is {how}", edit=edit, codecs=codecs)

    return _places(rule).map(changed)


def _impossible_values(rule: WindowRule) -> Kinds:
    at_edge = {name: field.above for name, field in rule.fields.items() if field.above is not None}
    least = {name: field.least for name, field in rule.fields.items() if field.least is not None}
    kinds = [_impossible(rule, name, st.just(edge)) for name, edge in at_edge.items()]
    for name, edge in {**at_edge, **least}.items():
        kinds.append(_impossible(rule, name, st.sampled_from([edge - depth for depth in _DEPTHS])))
    return kinds


def _impossible(rule: WindowRule, name: str, values: SearchStrategy[float]) -> SearchStrategy[Breach]:
    def impossible(places: Sequence[int], below: float) -> Breach:
        value = int(below) if rule.fields[name].kind == "integer" else below
        return Breach(rule="D3", says=f"{_said(places)}: {name} is {value!r}", edit=_edited(places, _set(name, value)))

    return st.builds(impossible, _places(rule), values)


_DEPTHS = (1, 2, 1_000, 30_000)


def _crossings(rule: WindowRule) -> Kinds:
    pairs = [pair for pair in rule.ordered if rule.fields[pair[0]].kind != "timestamp"]
    return [_crossed(rule, pair, downwards=downwards) for pair in pairs for downwards in (True, False)]


def _crossed(rule: WindowRule, pair: tuple[str, str], *, downwards: bool) -> SearchStrategy[Breach]:
    lower, upper = pair

    def crossed(places: Sequence[int], share: float) -> Breach:
        if downwards:
            edit = _edited(places, lambda r: r.update({upper: float(str(r[lower])) * (1 - share)}))
            says = f"{_said(places)}: {upper} lies {share:g} below {lower}"
        else:
            edit = _edited(places, lambda r: r.update({lower: float(str(r[upper])) * (1 + share)}))
            says = f"{_said(places)}: {lower} lies {share:g} above {upper}"
        return Breach(rule="D3", says=says, edit=edit)

    return st.builds(crossed, _places(rule), st.sampled_from([1e-3, 0.01, 0.5]))


def _too_few(rule: WindowRule) -> SearchStrategy[Breach]:
    def without(count: int, *, oldest: bool) -> Breach:
        kept = slice(count, None) if oldest else slice(None, rule.records - count)
        says = f"{rule.records - count} records, the {'oldest' if oldest else 'newest'} {count} left out"
        return Breach(rule="D5", says=says, edit=lambda records: records[kept])

    old = st.integers(1, rule.records).map(lambda count: without(count, oldest=True))
    # With too many of the newest left out the window would be stale as well.
    new = st.integers(1, min(rule.records, int(rule.max_age_s) // 2)).map(lambda count: without(count, oldest=False))
    return st.one_of(old, new)


def _too_many(rule: WindowRule) -> SearchStrategy[Breach]:
    def with_older(count: int) -> Breach:
        def edit(records: list[Record]) -> list[Record]:
            older = [dict(records[0]) for _ in range(count)]
            for steps, record in enumerate(reversed(older), start=1):
                _move(rule, record, -steps * _period_ns(rule))
            return older + records

        return Breach(rule="D5", says=f"{rule.records + count} records, {count} older ones added", edit=edit)

    return st.integers(1, rule.records).map(with_older)


def _period_ns(rule: WindowRule) -> int:
    return round(rule.period_s * SECOND_NS)


def _move(rule: WindowRule, record: Record, by_ns: int) -> None:
    for name in rule.of_kind("timestamp"):
        moment = moment_ns(record[name])
        if moment is not None:
            record[name] = timestamp(moment + by_ns)


def _moved_before(rule: WindowRule, place: int, by_ns: int) -> Callable[[list[Record]], list[Record]]:
    return _edited(range(place), lambda record: _move(rule, record, by_ns))


def _inner(rule: WindowRule) -> SearchStrategy[int]:
    return st.one_of(st.sampled_from([1, rule.records - 1, rule.records // 2]), st.integers(1, rule.records - 1))


def _gap(rule: WindowRule) -> SearchStrategy[Breach]:
    def gap(place: int, periods: int) -> Breach:
        edit = _moved_before(rule, place, -periods * _period_ns(rule))
        return Breach(rule="D6", says=f"{periods} missing before record {place}", edit=edit)

    return st.builds(gap, _inner(rule), st.integers(1, 600))


def _twice(rule: WindowRule) -> SearchStrategy[Breach]:
    """Draw a second that comes twice where none is missing: the window begins a second later."""

    def twice(place: int, same: bool) -> Breach:  # noqa: FBT001 - drawn, not passed by hand
        later = _moved_before(rule, place, _period_ns(rule))

        def edit(records: list[Record]) -> list[Record]:
            records = later(records)
            if same:
                records[place - 1] = dict(records[place])
            return records

        how = "the same record" if same else "with other values"
        return Breach(rule="D6", says=f"the second of record {place} comes twice, {how}", edit=edit)

    return st.builds(twice, _inner(rule), st.booleans())


def _repeated(rule: WindowRule) -> SearchStrategy[Breach]:
    def repeat(place: int) -> Breach:
        def edit(records: list[Record]) -> list[Record]:
            records[place] = dict(records[place - 1])
            return records

        return Breach(
            rule="D6", says=f"record {place} repeats the one before it, and its own second is missing", edit=edit
        )

    return _inner(rule).map(repeat)


def _overlap(rule: WindowRule) -> SearchStrategy[Breach]:
    def overlap(place: int, share: float) -> Breach:
        edit = _moved_before(rule, place, round(share * _period_ns(rule)))
        return Breach(
            rule="D6", says=f"record {place} begins {share:g} of a period before its predecessor ends", edit=edit
        )

    return st.builds(overlap, _inner(rule), st.sampled_from([0.5, 0.1, 0.001]))


def _swapped(rule: WindowRule) -> SearchStrategy[Breach]:
    def swap(first: int, second: int) -> Breach:
        def edit(records: list[Record]) -> list[Record]:
            records[first], records[second] = records[second], records[first]
            return records

        return Breach(rule="D7", says=f"records {first} and {second} swapped", edit=edit)

    places = st.lists(st.integers(0, rule.records - 1), min_size=2, max_size=2, unique=True)
    neighbours = _inner(rule).map(lambda place: swap(place - 1, place))
    return st.one_of(neighbours, places.map(lambda pair: swap(*pair)))


def _contradictory_times(rule: WindowRule) -> Kinds:
    start, end = rule.named("start"), rule.named("end")
    first, last = rule.named("first_event"), rule.named("last_event")
    period_ns = _period_ns(rule)
    ways: dict[str, tuple[str, str, int]] = {
        f"{end} is {start}": (end, start, 0),
        f"{end} is half a period late": (end, end, period_ns // 2),
        f"{end} is a period late": (end, end, period_ns),
        f"{first} lies a second before {start}": (first, start, -SECOND_NS),
        f"{first} lies 100 ns before {start}": (first, start, -100),
        f"{last} lies a second after {end}": (last, end, SECOND_NS),
        f"{last} lies 100 ns after {end}": (last, end, 100),
        f"{first} lies after {last}": (first, last, 100),
    }

    return [_contradictory(rule, how, *way) for how, way in ways.items()]


def _contradictory(rule: WindowRule, how: str, changed: str, source: str, by_ns: int) -> SearchStrategy[Breach]:
    def change(record: Record) -> None:
        record[changed] = timestamp((moment_ns(record[source]) or 0) + by_ns)

    return _places(rule).map(
        lambda places: Breach(rule="D8", says=f"{_said(places)}: {how}", edit=_edited(places, change))
    )


def _moved(rule: WindowRule, rule_id: str, by_s: SearchStrategy[int]) -> SearchStrategy[Breach]:
    def moved(seconds: int) -> Breach:
        everywhere = _edited(range(rule.records), lambda record: _move(rule, record, seconds * SECOND_NS))
        return Breach(rule=rule_id, says=f"all times moved by {seconds:+d} s", edit=everywhere)

    return by_s.map(moved)


def _implausible(rule: WindowRule) -> Kinds:
    limited = {name: field.plausible for name, field in rule.fields.items() if field.plausible is not None}
    lowest = max(limits[0] for limits in limited.values())
    highest = min(limits[1] for limits in limited.values())

    def priced(value: float) -> SearchStrategy[Breach]:
        edit = dict.fromkeys(limited, value)
        return _places(rule).map(
            lambda places: Breach(
                rule="D11",
                says=f"{_said(places)}: every price is {value:g}",
                edit=_edited(places, lambda record: record.update(edit)),
            )
        )

    return [priced(value) for value in (highest * 1.01, highest * 100, 1e300, lowest * 0.99, lowest * 1e-6)]
