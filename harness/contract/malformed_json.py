"""Flaws of JSON bodies; a good one is an object without spaces, and most flaws do not ask what it holds."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.contract.malformed import (
    ANSWERED,
    DOUBTFUL,
    EVERY_FORM,
    MALFORMED,
    MIDDLE,
    NO_UTF_8,
    REFUSED,
    UNKNOWN,
    Flaw,
    around,
    coded,
    flaws,
    instead,
    is_json,
    with_new,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypothesis.strategies import SearchStrategy

    from harness.contract.malformed import Edit
    from harness.contract.profile import WindowRule
    from harness.contract.window_rule import Form

    Damage = Callable[[bytes, int], bytes]

_RECORDS: frozenset[Form] = frozenset({"records"})
# Some who take rows take them without an object around them too.
_OBJECTS = _NAMED = EVERY_FORM - {"rows"}
# A list of objects, one after the other.
_LISTED: frozenset[Form] = frozenset({"records", "v2"})
_DEEP = 100_000
_SPACE = "\u00a0"
_FRACTION = re.compile(rb"(?<=[\[,:])(-?\d+\.\d+(?:[eE][-+]?\d+)?)(?=[,\]}])")
_NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "nan", "inf", "-NaN", "+Infinity"),
    *("01", "-01", "00", "+1", ".5", "-.5", "1.", "1.e3", "1e", "1e+", "-", "--1", "0x10", "0b1", "1_000", "1 000"),
    *("1.2.3", "1f", "\uff11", "1,000"),
)
_VALUES = (
    *("undefined", "None", "True", "TRUE", "nul", "", "'a'", '"a', 'a"', '"a""b"', '"a" "b"', "(1)", "1;"),
    *("[1,]", "[,1]", "[1 2]", "[1", "1]", '{"a":1,}', '{"a" 1}', '{"a":}', "{a:1}", "{'a':1}", "{1:2}"),
    *("/* a */1", "1//a\n", "1#a\n", r'"\x41"', r'"\u12"', r'"\u12G4"', r'"\a"', r'"\'"', '"\\"'),
    *('"a\tb"', '"a\nb"', '"a\rb"', '"a\0b"', '"a\x1fb"', "\x0b1", "\x0c1", f"{_SPACE}1", "\ufeff1", "\u20281"),
)


def _into_object(inserted: bytes, place: int = MIDDLE) -> Edit:
    """Insert at the beginning of an object: 0 is the one at the top, then come the records."""

    def edit(_: WindowRule, good: bytes) -> bytes:
        begins = [match.end() for match in re.finditer(rb"\{", good)]
        at = begins[place % len(begins)]
        return good[:at] + inserted + good[at:]

    return edit


def _unknown(value: bytes, place: int = MIDDLE) -> Edit:
    return _into_object(b'"%s":%s,' % (UNKNOWN, value), place)


def _number(spelt: bytes | None, *, after: bytes = b"", which: int = 0, place: int = MIDDLE) -> Edit:
    """Spell a number field of a record otherwise, or write something after it as it is.

    Where the form is not that of records, it is any number with a fraction: no shape, no count has one.
    """

    def edit(rule: WindowRule, good: bytes) -> bytes:
        name = rule.of_kind("number")[which].encode()
        is_named = rule.json == "records"
        found = list(re.finditer(rb'"%s":([^,}]+)' % re.escape(name) if is_named else _FRACTION, good))
        match = found[place % len(found)]
        return good[: match.start(1)] + (match[1] if spelt is None else spelt) + after + good[match.end(1) :]

    return edit


def _named_twice(value: bytes) -> Edit:
    """Give the first number of a record a value before its own."""
    return lambda rule, good: _into_object(b'"%s":%s,' % (rule.of_kind("number")[0].encode(), value))(rule, good)


def _key_twice(rule: WindowRule, good: bytes) -> bytes:
    return _into_object(b'"%s":[],' % rule.key.encode(), 0)(rule, good)


def _nested(rule: WindowRule, _: bytes) -> bytes:
    return b'{"%s":%s%s}' % (rule.key.encode(), b"[" * _DEEP, b"]" * _DEEP)


def _indented(_: WindowRule, good: bytes) -> bytes:
    return b" \r\n\t" + json.dumps(json.loads(good), indent=2).encode() + b"\n"


def _escaped(_: WindowRule, good: bytes) -> bytes:
    """Spell the first letter of each name as an escape."""
    return re.sub(rb'"([a-z])(\w*":)', lambda match: b'"\\u%04x%s' % (ord(match[1]), match[2]), good)


def _no_json_at_all(edits: Mapping[str, Edit], forms: frozenset[Form] = EVERY_FORM) -> tuple[Flaw, ...]:
    return flaws("json", MALFORMED, edits, forms=forms)


NO_JSON = {
    "another format": _no_json_at_all(
        {
            "empty": instead(b""),
            "blank": instead(b" \r\n\t"),
            "a word": instead(b"window"),
            "a form": instead(b"window=1&a=b"),
            "XML": instead(b"<window/>"),
            "YAML": instead(b"window: []\n"),
            "CSV": instead(b"a,b\n1,2\n"),
            "compressed": lambda _, good: gzip.compress(good),
        }
    ),
    "no object at the top": (
        *_no_json_at_all({"a number": instead(b"7"), "true": instead(b"true"), "null": instead(b"null")}),
        *_no_json_at_all(
            {"an empty array": instead(b"[]"), "an array around the object": around(b"[", b"]")}, _OBJECTS
        ),
        *_no_json_at_all({"the records alone": lambda _, good: good[good.index(b"[") : -1]}, _RECORDS),
        *_no_json_at_all({"a string": lambda _, good: json.dumps(good.decode()).encode()}),
    ),
    "more than an object": _no_json_at_all(
        {
            "two documents": lambda _, good: good + good,
            "two lines of documents": lambda _, good: good + b"\n" + good + b"\n",
            "an empty object after it": around(b"", b"{}"),
            "a word after it": around(b"", b" window"),
            "a comma after it": around(b"", b","),
            "a brace after it": around(b"", b"}"),
            "a semicolon after it": around(b"", b";"),
            "a NUL after it": around(b"", b"\0"),
            "a NUL before it": around(b"\0"),
            "a no-break space after it": around(b"", _SPACE.encode()),
            "a form feed before it": around(b"\f"),
            "bad UTF-8 after it": around(b"", b"\xff"),
            "a comment before it": around(b"/* a */ "),
            "a comment after it": around(b"", b" // a"),
            "a call around it": around(b"f(", b")"),
            "a prefix against scripts": around(b")]}',\n"),
        }
    ),
    "commas, quotes and brackets": (
        *_no_json_at_all(
            {
                "a comma at the end of the object": lambda _, good: good[:-1] + b",}",
                "a comma at the end of the list": lambda _, good: good[:-2] + b",]}",
                "a comma at the end of a record": with_new(b"}", b",}"),
            }
        ),
        *_no_json_at_all(
            {
                "a comma at the beginning of the list": with_new(b"[{", b"[,{"),
                "two commas between records": with_new(b"},{", b"},,{"),
                "no comma between records": with_new(b"},{", b"}{"),
                "a semicolon between records": with_new(b"},{", b"};{"),
            },
            _LISTED,
        ),
        *_no_json_at_all({"no comma between fields": with_new(b',"', b'"')}, _NAMED),
        *_no_json_at_all(
            {
                "an equals sign for a colon": with_new(b":", b"="),
                "single quotes": with_new(b'"', b"'", -1),
                "a name without quotes": with_new(b'"', b"", 2),
                "the last brace missing": lambda _, good: good[:-1],
                "the list not closed": lambda _, good: good[:-2] + b"}",
                "the other half missing": lambda _, good: good[: len(good) // 2],
                "deep, and never closed": instead(b'{"window":' + b"[" * _DEEP),
            }
        ),
    ),
    "no number": _no_json_at_all(
        {
            **{f"a number is {text}": _number(text.encode()) for text in ("NaN", "Infinity", "-Infinity", "01", "+1")},
            **{f"an unknown field is {text}": _unknown(text.encode()) for text in _NUMBERS},
            "an unknown field at the top is NaN": _unknown(b"NaN", 0),
        }
    ),
    "no value": _no_json_at_all({f"an unknown field is {text!r}": _unknown(text.encode()) for text in _VALUES}),
    "no UTF-8": _no_json_at_all(
        {
            **{f"an unknown field holds {bad!r}": _unknown(b'"a%sb"' % bad) for bad in NO_UTF_8},
            "an unknown name holds bad UTF-8": _into_object(b'"a\xffb":1,'),
            "an unknown field at the top holds bad UTF-8": _unknown(b'"\xff"', 0),
        }
    ),
}
DOUBTFUL_JSON = (
    *flaws(
        "json",
        REFUSED,
        {
            "the records nested too deep": _nested,
            "a number is 10**400": _number(b"1" + b"0" * 400),
            "a number is 1e400": _number(b"1e400"),
        },
    ),
    *flaws(
        "json",
        DOUBTFUL,
        {
            "a byte order mark": around(b"\xef\xbb\xbf"),
            "UTF-16": coded("utf-16"),
            "UTF-16 without a byte order mark": coded("utf-16-le"),
            "UTF-32": coded("utf-32"),
            "the key named twice": _key_twice,
            "an unknown field at the top": _unknown(b"1", 0),
            "an unknown field without a name": _into_object(b'"":1,'),
            "an unknown field nested too deep": _unknown(b"[" * _DEEP + b"]" * _DEEP),
            "an unknown field is 10**400": _unknown(b"1" + b"0" * 400),
            "an unknown field is 1e400": _unknown(b"1e400"),
            "an unknown field is half a pair": _unknown(rb'"\ud83d"'),
            "an unknown field is a pair the wrong way round": _unknown(rb'"\ude00\ud83d"'),
            "an unknown field is a NUL": _unknown(rb'"\u0000"'),
            "an unknown field of 200,000 letters": _unknown(b'"%s"' % (b"a" * 200_000)),
            "a record of 5,000 unknown fields": _into_object(b"".join(b'"x%d":1,' % number for number in range(5_000))),
            "a number with 300 digits more": _number(None, after=b"0" * 300),
        },
    ),
    *flaws(
        "json",
        DOUBTFUL,
        {
            "a field named twice": _named_twice(b"-7"),
            "a field named twice, first as null": _named_twice(b"null"),
            "the last number is 10**30": _number(b"1" + b"0" * 30, which=-1),
            "the last number is 1e400": _number(b"1e400", which=-1),
            "the last number is -0": _number(b"-0", which=-1),
        },
        forms=_RECORDS,
    ),
)
ODD_JSON = (
    *flaws(
        "json",
        ANSWERED,
        {
            "spaces and lines between the tokens": _indented,
            "names with escapes": _escaped,
            "a number with an exponent": _number(None, after=b"e0"),
            "a number with a signed exponent": _number(None, after=b"E+00"),
        },
    ),
    # That unknown fields are ignored is promised of records.
    *flaws(
        "json",
        ANSWERED,
        {
            "an unknown field beyond ASCII": _unknown('"\u00e9\u2028\U0001f600"'.encode()),
            "an unknown field with escapes": _unknown(rb'"\ud83d\ude00\n\/\""'),
            "an unknown field with objects and lists": _unknown(b'{"window":[{"a":[null,true,-1.5E-3]},[]]}'),
        },
        forms=_RECORDS,
    ),
)


def json_flaws(rule: WindowRule) -> SearchStrategy[Flaw]:
    """Return a strategy of bodies that are no JSON for sure: cut or damaged anywhere, or one bad value anywhere."""
    at, objects = st.integers(0, 400 * rule.records), st.integers(0, rule.records)
    numbers, values = st.sampled_from(_NUMBERS), st.sampled_from(_NUMBERS + _VALUES)
    return st.one_of(
        at.map(_cut),
        st.builds(_damaged, st.sampled_from(list(_DAMAGES)), at),
        st.builds(
            lambda text, place: _no_json(f"number {place} is {text}", _number(text.encode(), place=place)),
            numbers,
            objects,
        ),
        st.builds(lambda text, place: _placed(repr(text), text.encode(), place), values, objects),
        st.builds(lambda bad, place: _placed(repr(bad), b'"a%sb"' % bad, place), st.sampled_from(NO_UTF_8), objects),
    )


def _no_json(says: str, edit: Edit) -> Flaw:
    return Flaw(says=says, codec="json", statuses=MALFORMED, edit=edit)


def _placed(says: str, value: bytes, place: int) -> Flaw:
    return _no_json(f"an unknown field of object {place} is {says}", _unknown(value, place))


def _cut(place: int) -> Flaw:
    return _no_json(f"cut at byte {place}", lambda _, good: good[: place % len(good)])


def _damage(new: bytes, dropped: int) -> Damage:
    return lambda good, at: good[:at] + new + good[at + dropped :]


_DAMAGES: dict[str, Damage] = {
    "a byte left out": _damage(b"", 1),
    **{f"{bytes([new])!r} for a byte": _damage(bytes([new]), 1) for new in b'\0\x1f\xff{}[]:,"\\'},
    **{f"{bytes([new])!r} put in": _damage(bytes([new]), 0) for new in b'\0\n\xff{}[]:,"\\0'},
}


def _damaged(how: str, place: int) -> Flaw:
    """Damage the first byte from a place on where what comes of it is no JSON."""

    def edit(_: WindowRule, good: bytes) -> bytes:
        tries = (_DAMAGES[how](good, (place + step) % len(good)) for step in range(len(good)))
        return next(content for content in tries if not is_json(content))

    return _no_json(f"{how} near byte {place}", edit)
