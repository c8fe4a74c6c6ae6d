"""Breaches of D1 to D4 and D11: fields that are missing, empty, of another type, impossible or not plausible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.contract.breach import BOTH, Breach, Kind, at_every_end, at_some_end, edited, in_each_codec, places, said
from harness.contract.records import SECOND_NS, Codec, moment_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.contract.breach import Places
    from harness.contract.profile import WindowRule

    Change = Callable[[object], object]

_DEPTHS = (1, 2, 1_000, 30_000)
_SHARES = (1e-3, 1e-7, 0.01, 0.5)
_HAIR = 1e-9


def missing_fields(rule: WindowRule) -> list[Kind]:
    """D1: a record without one of its fields."""
    return [_missing(rule, name, turn=turn) for turn, name in enumerate(rule.fields)]


def _missing(rule: WindowRule, name: str, *, turn: int) -> Kind:
    def missing(places: Places) -> Breach:
        # CSV has one header for all rows: it can only leave out a whole column.
        codecs: tuple[Codec, ...] = BOTH if len(places) == rule.records else ("json",)
        edit = edited(places, lambda record: record.pop(name))
        return Breach(rule="D1", says=f"{said(places)}: no {name}", edit=edit, codecs=codecs)

    everywhere = tuple(range(rule.records))
    ends = at_every_end(rule, missing, turn=turn).always
    return Kind(
        anywhere=st.one_of(places(rule), st.just(everywhere)).map(missing),
        always=(*ends, *in_each_codec([missing(everywhere)])),
    )


def empty_fields(rule: WindowRule) -> list[Kind]:
    """D4: a null, or an empty cell."""
    return [_nothing(rule, name, turn=turn) for turn, name in enumerate(rule.fields)]


def _nothing(rule: WindowRule, name: str, *, turn: int) -> Kind:
    def nothing(places: Places) -> Breach:
        edit = edited(places, lambda record: record.update({name: None}))
        return Breach(rule="D4", says=f"{said(places)}: {name} is null", edit=edit)

    return at_every_end(rule, nothing, turn=turn)


def wrong_types(rule: WindowRule) -> list[Kind]:
    """D2: values of another type, or in another format."""
    numbers = rule.of_kind("number", "integer")
    groups: list[tuple[Sequence[str], Mapping[str, Change], tuple[Codec, ...]]] = [
        (rule.of_kind("timestamp"), _BAD_TIMES, BOTH),
        (rule.of_kind("timestamp"), _BAD_JSON_TIMES, ("json",)),
        (numbers, _BAD_NUMBERS, BOTH),
        (numbers, _BAD_JSON_NUMBERS, ("json",)),
        (numbers, _BAD_CSV_NUMBERS, ("csv",)),
        (rule.of_kind("integer"), _NOT_WHOLE, BOTH),
    ]
    cells = [
        (_change(name, how, change, codecs), len(names) == 1)
        for names, changes, codecs in groups
        for how, change in changes.items()
        for name in names
    ]
    # Where fields share a change they take turns at where it hits; one field alone has nobody to take turns with.
    return [
        (at_every_end if is_alone else at_some_end)(rule, changed, turn=turn)
        for turn, (changed, is_alone) in enumerate(cells)
    ]


def _change(name: str, how: str, change: Change, codecs: tuple[Codec, ...]) -> Callable[[Places], Breach]:
    def changed(places: Places) -> Breach:
        edit = edited(places, lambda record: record.update({name: change(record[name])}))
        return Breach(rule="D2", says=f"{said(places)}: {name} is {how}", edit=edit, codecs=codecs)

    return changed


_FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))
_NOT_WHOLE: dict[str, Change] = {"no whole number": lambda value: float(str(value)) + 0.5}
_BAD_TIMES: dict[str, Change] = {
    "without Z": lambda text: str(text)[:-1],
    "with z for Z": lambda text: str(text).lower().replace("t", "T"),
    "with Z twice": lambda text: f"{text}Z",
    "with an offset for Z": lambda text: f"{str(text)[:-1]}+00:00",
    "with a short offset for Z": lambda text: f"{str(text)[:-1]}+0000",
    "with an offset below nothing for Z": lambda text: f"{str(text)[:-1]}-00:00",
    "with a space for T": lambda text: str(text).replace("T", " "),
    "with t for T": lambda text: str(text).replace("T", "t"),
    "with a blank before it": lambda text: f" {text}",
    "with a blank after it": lambda text: f"{text} ",
    "with a point and no digits": lambda text: f"{str(text)[:19]}.Z",
    "with 10 fraction digits": lambda text: f"{str(text)[:19]}.{'0' * 10}Z",
    "in full-width digits": lambda text: str(text).translate(_FULL_WIDTH),
    "a day alone": lambda text: str(text)[:10],
    "in month 0": lambda text: f"{str(text)[:5]}00{str(text)[7:]}",
    "in month 13": lambda text: f"{str(text)[:5]}13{str(text)[7:]}",
    "on day 0": lambda text: f"{str(text)[:8]}00{str(text)[10:]}",
    "on 30 February": lambda text: f"{str(text)[:5]}02-30{str(text)[10:]}",
    # Midnight may be written so by an older ISO 8601; half past it never was.
    "at half past hour 24": lambda text: f"{str(text)[:11]}24:30{str(text)[16:]}",
    "at hour 25": lambda text: f"{str(text)[:11]}25{str(text)[13:]}",
    "at minute 60": lambda text: f"{str(text)[:14]}60{str(text)[16:]}",
    # No leap second was ever in the middle of an hour.
    "at second 60": lambda text: f"{str(text)[:14]}30:60{str(text)[19:]}",
    "no time": lambda _: "yesterday",
    "seconds since the epoch": lambda text: (moment_ns(text) or 0) // SECOND_NS,
    "true": lambda _: True,
}
_BAD_JSON_TIMES: dict[str, Change] = {
    "an empty string": lambda _: "",
    "a list": lambda text: [text],
    "with a line's end after it": lambda text: f"{text}\n",
}
_BAD_NUMBERS: dict[str, Change] = {
    "a word": lambda _: "many",
    "true": lambda _: True,
    "false": lambda _: False,
    "a timestamp": lambda _: "2020-01-01T00:00:00Z",
}
_BAD_JSON_NUMBERS: dict[str, Change] = {
    "a number as a string": str,
    "a list": lambda value: [value],
    "an object": lambda value: {"value": value},
    "an empty string": lambda _: "",
}
# What one language or another reads as a number, and often as the right one.
_BAD_CSV_NUMBERS: dict[str, Change] = {
    **{text: (lambda _, text=text: text) for text in ("nan", "NaN", "inf", "-inf", "Infinity")},  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    "blanks alone": lambda _: "  ",
    "with an underscore": lambda value: f"0_{value}",
    "in full-width digits": lambda value: str(value).translate(_FULL_WIDTH),
    "hexadecimal": lambda value: float(str(value)).hex(),
    "with a d after it": lambda value: f"{value}d",
    "with a unit after it": lambda value: f"{value} USD",
}


def impossible_values(rule: WindowRule) -> list[Kind]:
    """D3: prices and counts below what they can be, and prices that cross."""
    small = [_too_small(rule, *cell, turn=turn) for turn, cell in enumerate(_small_values(rule))]
    return small + [_crossed(rule, *cell, turn=turn) for turn, cell in enumerate(_crossings(rule))]


def _small_values(rule: WindowRule) -> Iterator[tuple[str, float]]:
    for name, field in rule.fields.items():
        edge = field.least if field.above is None else field.above
        if edge is not None:
            depths = _DEPTHS if field.kind == "integer" else (*_DEPTHS, _HAIR)
            yield from ((name, edge - depth) for depth in (depths if field.above is None else (0, *depths)))


def _too_small(rule: WindowRule, name: str, below: float, *, turn: int) -> Kind:
    value = int(below) if rule.fields[name].kind == "integer" else below

    def too_small(places: Places) -> Breach:
        edit = edited(places, lambda record: record.update({name: value}))
        return Breach(rule="D3", says=f"{said(places)}: {name} is {value!r}", edit=edit)

    return at_some_end(rule, too_small, turn=turn)


def _crossings(rule: WindowRule) -> Iterator[tuple[str, str, float]]:
    """Name for each relation the field that is changed, the one that it is held against, and by how much it crosses."""
    for lower, upper in rule.ordered:
        if rule.fields[lower].kind != "timestamp":
            for share in _SHARES:
                yield from ((lower, upper, share), (upper, lower, -share))


def _crossed(rule: WindowRule, changed: str, held: str, share: float, *, turn: int) -> Kind:
    def crossed(places: Places) -> Breach:
        edit = edited(places, lambda record: record.update({changed: _beyond(float(str(record[held])), share)}))
        side = "above" if share > 0 else "below"
        return Breach(rule="D3", says=f"{said(places)}: {changed} lies {abs(share):g} {side} {held}", edit=edit)

    return at_some_end(rule, crossed, turn=turn)


def _beyond(held: float, share: float) -> float:
    """Return what lies so far above a value, or below it, as a share of its size."""
    return held + abs(held or 1.0) * share


def implausible_values(rule: WindowRule) -> list[Kind]:
    """D11: values that cannot be true: all prices of a record or the outermost alone, and each other field's own."""
    others = [name for name, field in rule.fields.items() if field.plausible and name not in rule.prices]
    return [*_implausible_prices(rule), *(kind for name in others for kind in _implausible_others(rule, name))]


def _implausible_prices(rule: WindowRule) -> list[Kind]:
    limited = {name: limits for name in rule.prices if (limits := rule.fields[name].plausible) is not None}
    if not limited:
        return []
    lowest = max(limits[0] for limits in limited.values())
    highest = min(limits[1] for limits in limited.values())
    too_high, too_low = (highest * (1 + 1e-7), highest * 100, 1e300), (lowest * (1 - 1e-6), lowest * 1e-6)
    outermost = {rule.find("high"): highest * 2, rule.find("low"): lowest / 2}
    return [
        *(_implausible(rule, tuple(limited), value, says="every price") for value in (*too_high, *too_low)),
        *(_implausible(rule, (name,), value, says=name) for name, value in outermost.items() if name in limited),
    ]


def _implausible_others(rule: WindowRule, name: str) -> Iterator[Kind]:
    low, high = rule.fields[name].plausible or (0.0, 0.0)
    is_whole, span = rule.fields[name].kind == "integer", high - low
    steps = (1, 100, 10**9) if is_whole else (span * 1e-3, span, 1e300)
    for value in (*(high + step for step in steps), *(low - step for step in steps)):
        yield _implausible(rule, (name,), int(value) if is_whole else value, says=name)


def _implausible(rule: WindowRule, names: tuple[str, ...], value: float, *, says: str) -> Kind:
    def implausible(places: Places) -> Breach:
        edit = edited(places, lambda record: record.update(dict.fromkeys(names, value)))
        return Breach(rule="D11", says=f"{said(places)}: {says} is {value!r}", edit=edit)

    return at_every_end(rule, implausible)
