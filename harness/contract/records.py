"""Records and windows: made from a series, anchored at a moment, encoded as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

from harness.contract.forms import FORM_TYPE, FORMS, in_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.contract.series import Second
    from harness.contract.window_rule import FieldRule, Role, WindowRule

SECOND_NS = 1_000_000_000
_PLAIN_NUMBERS = (int, float)
_OTHER_DIGITS = 3
Codec = Literal["json", "csv"]
CONTENT_TYPES: dict[Codec, str] = {"json": "application/json", "csv": "text/csv"}
Value: TypeAlias = object
Record: TypeAlias = "dict[str, Value]"

_TIMESTAMP = re.compile(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Records as they are sent, oldest first; a broken window is a `Window` too."""

    records: tuple[Mapping[str, Value], ...]

    def editable(self) -> list[Record]:
        """Return a copy of the records that may be changed."""
        return [dict(record) for record in self.records]

    def newest(self, field: str) -> object:
        """Return a field of the last record."""
        return self.records[-1][field]


def timestamp(moment_ns: int) -> str:
    """Format nanoseconds since the epoch as ISO 8601 in UTC, with 7 fraction digits, or 9 where 7 would lose some."""
    seconds, fraction = divmod(moment_ns, SECOND_NS)
    whole = _whole_second(seconds)
    return f"{whole}.{fraction:09d}Z" if fraction % 100 else f"{whole}.{fraction // 100:07d}Z"


# The windows of a run lie over the same few minutes: each second is written, and read, many times.
@lru_cache(maxsize=4_096)
def _whole_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def moment_ns(text: object) -> int | None:
    """Read a timestamp of the contract's format as nanoseconds since the epoch; None for anything else."""
    return _read_moment_ns(text) if isinstance(text, str) else None


@lru_cache(maxsize=4_096)
def _read_moment_ns(text: str) -> int | None:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups()[:-1])
    try:
        whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(whole.timestamp()) * SECOND_NS + int((match[7] or "0").ljust(9, "0"))


def last_whole_second_ns(now_s: float) -> int:
    """Return the newest whole second that has passed, in nanoseconds: where a fresh window ends."""
    return math.floor(now_s) * SECOND_NS


def build(rule: WindowRule, seconds: Sequence[Second], *, end_ns: int) -> Window:
    """Build a window from one series entry a record; the last record ends at `end_ns`."""
    period_ns = round(rule.period_s * SECOND_NS)
    first_ns = end_ns - period_ns * len(seconds)
    others = {name: field for name, field in rule.fields.items() if field.role == "other"}
    limits = _limits(first_ns, period_ns, len(seconds))
    records = [
        _record(rule, second, period, start_ns=first_ns + index * period_ns, period_ns=period_ns)
        for index, (second, period) in enumerate(zip(seconds, pairwise(limits), strict=True))
    ]
    for index, (record, second) in enumerate(zip(records, seconds, strict=True)):
        for name, field in others.items():
            record[name] = second.others[name] if name in second.others else _usual(field, index / len(records))
    return Window(records=tuple(records))


def _usual(field: FieldRule, share: float) -> Value:
    """Make up a value of a field that is no price: in a wave over the window, within what is usual."""
    low, high = field.usual or (0.0, 1.0)
    value = low + (high - low) * (1 - math.cos(math.tau * share)) / 2
    return round(value) if field.kind == "integer" else round(value, _OTHER_DIGITS)


# The windows of one second share these, whatever their prices.
@lru_cache(maxsize=64)
def _limits(first_ns: int, period_ns: int, count: int) -> tuple[str, ...]:
    return tuple(timestamp(first_ns + index * period_ns) for index in range(count + 1))


def _record(rule: WindowRule, second: Second, period: tuple[str, str], *, start_ns: int, period_ns: int) -> Record:
    start, end = period
    by_role: dict[Role, Value] = {
        "value": second.close,
        "start": start,
        "end": end,
        "first_event": timestamp(start_ns + second.first_event_ns * period_ns // SECOND_NS),
        "last_event": timestamp(start_ns + second.last_event_ns * period_ns // SECOND_NS),
        "open": second.open,
        "high": second.high,
        "low": second.low,
        "close": second.close,
        "volume": second.volume,
        "count": second.count,
    }
    return {name: by_role.get(field.role) for name, field in rule.fields.items()}


def encode(rule: WindowRule, window: Window, codec: Codec = "json") -> bytes:
    """Encode a window as the body of a request; a codec that is not taken stands for the first that is."""
    if taken(rule, codec) == "json":
        return json.dumps(FORMS[rule.json](rule, window), separators=(",", ":")).encode()
    sheet = to_csv(window, columns=None if window.records else rule.fields)
    return in_form(sheet, name=rule.csv_field) if rule.csv == "multipart" else sheet


def content_type(rule: WindowRule, codec: Codec = "json") -> str:
    """Return the Content-Type of a body that `encode` makes."""
    is_form = taken(rule, codec) == "csv" and rule.csv == "multipart"
    return FORM_TYPE if is_form else CONTENT_TYPES[taken(rule, codec)]


def taken(rule: WindowRule, codec: Codec) -> Codec:
    """Return the codec where the container takes it, else the first that it takes."""
    return codec if codec in rule.codecs else rule.codecs[0]


def to_csv(window: Window, *, columns: Iterable[str] | None = None) -> bytes:
    """Encode as CSV: a header line and one row a record; None is an empty cell; a field nobody has, no column."""
    names = list(columns) if columns is not None else _columns(window.records)
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(record.get(name)) for name in names] for record in window.records)
    return sheet.getvalue().encode()


def _columns(records: Iterable[Mapping[str, Value]]) -> list[str]:
    return list(dict.fromkeys(name for record in records for name in record))


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    # What JSON would write, and far quicker.
    return repr(value) if type(value) in _PLAIN_NUMBERS and math.isfinite(value) else json.dumps(value)  # type: ignore[arg-type]  # it is a number
