"""How a window that was sent differs from the good one that it was made of, field by field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.contract.records import Value, Window

ABSENT = "(absent)"
WHOLE = "(whole records)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A window that was sent, the good one that it was made of, and in words how."""

    says: str
    good: Window
    sent: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that differs: in which records, counted from 0, and its value in the first of them, as JSON."""

    field: str
    records: str
    good: str
    sent: str


def difference(example: Example) -> tuple[Change, ...]:
    """Return what differs: field by field where no record is missing or added, else by whole records."""
    if len(example.good.records) == len(example.sent.records):
        return tuple(_by_field(example))
    return tuple(_by_record(example))


def _by_field(example: Example) -> Iterator[Change]:
    pairs = list(zip(example.good.records, example.sent.records, strict=True))
    for name in _names([*example.good.records, *example.sent.records]):
        texts = [(_text(good, name), _text(sent, name)) for good, sent in pairs]
        hit = [place for place, (good, sent) in enumerate(texts) if good != sent]
        if hit:
            good, sent = texts[hit[0]]
            yield Change(field=name, records=_ranges(hit), good=good, sent=sent)


def _by_record(example: Example) -> Iterator[Change]:
    before, after = _texts(example.good), _texts(example.sent)
    for kind, left, left_end, right, right_end in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if kind != "equal":
            yield Change(
                field=WHOLE,
                records=_ranges(range(right, right_end)) or f"before {right}",
                good=_counted(left_end - left),
                sent=_counted(right_end - right),
            )


def _texts(window: Window) -> list[str]:
    return [json.dumps(dict(record), default=str) for record in window.records]


def _names(records: Iterable[Mapping[str, Value]]) -> list[str]:
    return list(dict.fromkeys(name for record in records for name in record))


def _text(record: Mapping[str, Value], name: str) -> str:
    # JSON tells apart what Python's == does not: 1 and 1.0, 1 and true.
    return json.dumps(record[name], default=str) if name in record else ABSENT


def _counted(number: int) -> str:
    return f"{number} record{'' if number == 1 else 's'}" if number else ABSENT


def _ranges(places: Iterable[int]) -> str:
    """Say 0 to 2 and 7 as "0-2, 7"."""
    runs = [list(run) for _, run in groupby(enumerate(places), key=lambda pair: pair[1] - pair[0])]
    spans = [(run[0][1], run[-1][1]) for run in runs]
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
