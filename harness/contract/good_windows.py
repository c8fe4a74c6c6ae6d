"""Hypothesis strategies of the other direction: a good window, sent in another way that every promise covers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.contract.forms import FORMS, in_form
from harness.contract.records import SECOND_NS, Codec, Record, Window, moment_ns, to_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypothesis.strategies import SearchStrategy

    from harness.contract.profile import WindowRule
    from harness.contract.records import Value

_BOTH: tuple[Codec, ...] = ("json", "csv")
# A number goes through the JSON encoder as such a text, and its quotes are taken off afterwards.
_SPELLED = re.compile(rb'"number:([^"]*)"')
_FRACTION_DIGITS = (0, 1, 3, 6, 7, 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to send a good window: in words, an edit of its records, and how numbers are written."""

    says: str
    edit: Callable[[list[Record]], list[Record]] = lambda records: records
    spell: Callable[[Value], str] | None = None
    indent: int | None = None
    codecs: tuple[Codec, ...] = _BOTH

    def __repr__(self) -> str:
        """Show the words: Hypothesis prints them for a failing example."""
        return f"<{self.says}>"

    def window(self, good: Window) -> Window:
        """Return the window as it is sent, its numbers aside."""
        return Window(records=tuple(self.edit(good.editable())))

    def body(self, rule: WindowRule, good: Window, codec: Codec) -> bytes:
        """Return the body of a request."""
        window = self.window(good)
        numbers = rule.of_kind("number", "integer") if self.spell is not None else ()
        if codec == "csv":
            sheet = to_csv(_respelled(window, numbers, self.spell, mark=""))
            return in_form(sheet, name=rule.csv_field) if rule.csv == "multipart" else sheet
        marked = _respelled(window, numbers, self.spell, mark="number:")
        content = FORMS[rule.json](rule, marked)
        return _SPELLED.sub(rb"\1", json.dumps(content, indent=self.indent).encode())


def _respelled(window: Window, numbers: tuple[str, ...], spell: Callable[[Value], str] | None, *, mark: str) -> Window:
    if spell is None:
        return window
    return Window(
        records=tuple({**record, **{name: mark + spell(record[name]) for name in numbers}} for record in window.records)
    )


def ways(rule: WindowRule) -> SearchStrategy[Way]:
    """Return a strategy of ways to send a good window."""
    return st.one_of(
        st.sampled_from(list(_SPELLINGS.items())).map(lambda named: Way(says=named[0], spell=named[1])),
        st.permutations(list(rule.fields)).map(_reordered),
        st.sampled_from(_FRACTION_DIGITS).map(lambda digits: _timed(rule, digits)),
        st.lists(st.sampled_from(_FRACTION_DIGITS), min_size=4, max_size=4).map(lambda each: _timed_apiece(rule, each)),
        st.sampled_from(list(_UNKNOWN.items())).map(_with_unknown),
        st.integers(1, 8).map(lambda spaces: Way(says=f"indented by {spaces}", indent=spaces, codecs=("json",))),
        st.sampled_from([0.0, 1.0]).map(lambda share: _events_at(rule, share)),
    )


def each_way(rule: WindowRule) -> list[Way]:
    """Return one way of every kind: a container may read one and refuse the next, and chance alone would not tell."""
    return [
        *(Way(says=says, spell=spell) for says, spell in _SPELLINGS.items()),
        *(_timed(rule, digits) for digits in _FRACTION_DIGITS),
        *(_with_unknown(named) for named in _UNKNOWN.items()),
        *(_events_at(rule, share) for share in (0.0, 1.0)),
        _reordered(list(rule.fields)[::-1]),
    ]


def _exponent(value: Value) -> str:
    return f"{Decimal(str(value)):e}"


def _long(value: Value) -> str:
    text = f"{Decimal(str(value)):f}"
    return f"{text}{'' if '.' in text else '.'}{'0' * 20}"


def _whole(value: Value) -> str:
    return str(int(float(str(value)))) if float(str(value)).is_integer() else str(value)


_SPELLINGS: Mapping[str, Callable[[Value], str]] = {
    "numbers such as 7.1e+3": _exponent,
    "numbers such as 7.1E+3": lambda value: _exponent(value).upper(),
    "numbers with 20 more zeros": _long,
    "whole numbers without a fraction": _whole,
    "floats for whole numbers": lambda value: str(float(str(value))),
}
_UNKNOWN: Mapping[str, Value] = {
    "a text": "kraken",
    "an empty text": "",
    "a number": 1.5,
    "true": True,
    "null": None,
    "a list": [1, [2, {}]],
    "an object": {"x": {"y": "\u20ac"}, "z": None},
    "a long text": "x" * 500,
}


def _reordered(names: list[str]) -> Way:
    def edit(records: list[Record]) -> list[Record]:
        return [{name: record[name] for name in names} for record in records]

    return Way(says=f"fields in the order {', '.join(names)}", edit=edit)


def _with_unknown(named: tuple[str, Value]) -> Way:
    says, value = named
    # In CSV a list has no form of its own, and an empty cell is one whoever looks at all cells may refuse.
    codecs: tuple[Codec, ...] = _BOTH if isinstance(value, (int, float, str)) and value != "" else ("json",)

    def edit(records: list[Record]) -> list[Record]:
        return [{"exchange": value, **record, "note": value} for record in records]

    return Way(says=f"unknown fields that hold {says}", edit=edit, codecs=codecs)


def _timed(rule: WindowRule, digits: int) -> Way:
    return _timed_apiece(rule, [digits] * len(rule.of_kind("timestamp")))


def _timed_apiece(rule: WindowRule, each: list[int]) -> Way:
    """Write each timestamp field with so many fraction digits; what they cannot hold is cut off, which keeps order."""
    names = rule.of_kind("timestamp")
    digits_of = {
        name: max(each) if rule.fields[name].role in _EVENTS else digits
        for name, digits in zip(names, each * len(names), strict=False)
    }

    def edit(records: list[Record]) -> list[Record]:
        return [
            {**record, **{name: _with_digits(record[name], digits) for name, digits in digits_of.items()}}
            for record in records
        ]

    return Way(says=f"timestamps with {', '.join(map(str, digits_of.values()))} fraction digits", edit=edit)


_EVENTS = ("first_event", "last_event")


def _with_digits(text: Value, digits: int) -> str:
    moment = moment_ns(text) or 0
    fraction = f"{moment % SECOND_NS:09d}"[:digits]
    return f"{str(text)[:19]}{'.' if digits else ''}{fraction}Z"


def _events_at(rule: WindowRule, share: float) -> Way:
    start, end = rule.named("start"), rule.named("end")
    events = [name for name, field in rule.fields.items() if field.role in _EVENTS]

    def edit(records: list[Record]) -> list[Record]:
        # A second without trades has its times from the contract: its period's own.
        return [
            {**record, **dict.fromkeys(events, record[end if share else start])} if _is_traded(rule, record) else record
            for record in records
        ]

    return Way(says=f"first and last event at the {'end' if share else 'start'} of the period", edit=edit)


def _is_traded(rule: WindowRule, record: Record) -> bool:
    return any(record[name] for name, field in rule.fields.items() if field.role in ("volume", "count"))
