"""Flaws of a body: a good window's bytes, edited so that they are no longer, or not quite, what their type says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, get_args

from harness.contract.window_rule import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.contract.profile import WindowRule
    from harness.contract.records import Codec

    Edit: TypeAlias = Callable[[WindowRule, bytes], bytes]

EVERY_FORM: frozenset[Form] = frozenset(get_args(Form))
ANSWERED, MALFORMED, BROKEN = frozenset({200}), frozenset({400}), frozenset({422})
REFUSED = MALFORMED | BROKEN
# Over these good containers differ: some read them, others refuse them.
DOUBTFUL = ANSWERED | REFUSED
UNKNOWN = b"x_unknown"
MIDDLE = 30

NO_UTF_8 = (
    *(b"\xff", b"\xfe\xff", b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc0\x80", b"\xc1\xaf", b"\xe0\x80\xaf"),
    *(b"\xed\xa0\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"caf\xe9"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One flaw of a body: in words, as an edit of good bytes, what good containers answer, and which rule says so.

    A flaw of JSON is one of bodies in some `forms`: in others it cannot be made, or means something else.
    """

    says: str
    codec: Codec
    statuses: frozenset[int]
    edit: Edit
    rule: str = "C9"
    forms: frozenset[Form] = EVERY_FORM

    def __repr__(self) -> str:
        """Show the words: pytest and Hypothesis print them for a failing example."""
        return f"{self.codec}: {self.says}"

    def is_of(self, rule: WindowRule) -> bool:
        """Whether a body that the container takes can have it: JSON in one of its forms, or CSV that is the body."""
        is_its_form = rule.json in self.forms if self.codec == "json" else rule.csv == "body"
        return self.codec in rule.codecs and is_its_form

    def of(self, rule: WindowRule, good: bytes) -> bytes:
        """Return the bytes of a good window with the flaw."""
        return self.edit(rule, good)


def flaws(
    codec: Codec,
    statuses: frozenset[int],
    edits: Mapping[str, Edit],
    *,
    rule: str = "C9",
    forms: frozenset[Form] = EVERY_FORM,
) -> tuple[Flaw, ...]:
    """Return a table of edits as flaws."""
    return tuple(
        Flaw(says=says, codec=codec, statuses=statuses, edit=edit, rule=rule, forms=forms)
        for says, edit in edits.items()
    )


def is_json(content: bytes) -> bool:
    """Whether bytes are JSON by RFC 8259, read strictly: UTF-8, no byte order mark, no NaN, nothing after the end."""
    try:
        json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except ValueError:
        return False
    return True


def instead(content: bytes) -> Edit:
    """Send something else altogether."""
    return lambda _, __: content


def around(before: bytes, after: bytes = b"") -> Edit:
    """Put something before and after the body."""
    return lambda _, good: before + good + after


def with_new(old: bytes, new: bytes, count: int = 1) -> Edit:
    """Replace bytes, at their first so many places or at all."""
    return lambda _, good: good.replace(old, new, count)


def coded(name: str) -> Edit:
    """Encode the text otherwise."""
    return lambda _, good: good.decode().encode(name)


def _refuse(literal: str) -> None:
    raise ValueError(literal)
