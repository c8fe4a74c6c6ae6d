"""Turn a request body into a window of 60 one-second records, or say which promise it breaks.

Columns, not records, are what is checked: a whole column takes one pass of the interpreter's own C code.
"""

import contextlib
import csv
import math
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, pairwise
from operator import attrgetter, le
from typing import Any

import msgspec
import orjson
from even_times import RECORDS, SECOND_NS, newest_end_ns

OLDEST_NS = 60 * SECOND_NS
AHEAD_NS = 2 * SECOND_NS
ACCURACY, COMPLETENESS, CONSISTENCY = "accuracy", "completeness", "consistency"
RELEVANCY, TIMELINESS = "relevancy", "timeliness"
LOWEST_USD, HIGHEST_USD = 1.0, 10_000_000.0
TIMES = ("time_period_start", "time_period_end", "time_open", "time_close")
PRICES = ("price_open", "price_high", "price_low", "price_close")
NUMBERS = (*PRICES, "volume_traded", "trades_count")
FIELDS = (*TIMES, *NUMBERS)

_MINUTE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):")
_SECONDS_NS = {f"{second:02d}": second * SECOND_NS for second in range(60)}
_FRACTION_DIGITS = 9
_NO_FRACTION = frozenset(("Z", *(f".{'0' * digits}Z" for digits in range(1, _FRACTION_DIGITS + 1))))
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Cells of nothing but these are read as JSON, whose every number is one here; others have to be looked at one by one.
_OF_NUMBERS = b"0123456789.eE+-,"
_NUMBER_TYPES = frozenset((float, int))
_RAGGED = "the rows of the CSV body differ in length"


class Malformed(ValueError):  # noqa: N818 - named by what happened
    """The body is not what its content type says."""


class Breach(ValueError):  # noqa: N818 - likewise
    """The body can be read, and its window breaks a data rule; `dimension` is the quality that suffers."""

    def __init__(self, dimension: str, msg: str) -> None:
        """Keep the dimension beside the message."""
        super().__init__(msg)
        self.dimension = dimension


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """60 valid seconds, oldest first: prices in USD, and the newest `time_period_end` as it was sent."""

    highs: Sequence[float]
    lows: Sequence[float]
    closes: Sequence[float]
    as_of: str


Columns = dict[str, Sequence[Any]]

_TYPES = [(field, str) for field in TIMES] + [(field, float) for field in NUMBERS]
_Record = msgspec.defstruct("_Record", _TYPES, gc=False)
_CELLS = attrgetter(*FIELDS)


class _Body(msgspec.Struct, gc=False):
    """What most bodies hold: read by a typed parser, which makes no object that is not needed."""

    window: list[_Record]


_BODY = msgspec.json.Decoder(_Body)


def parse_json(body: bytes) -> Columns:
    """Return the window's columns by field name. Raises Malformed, or Breach where the window has no columns."""
    # The typed parser passes over fields that it does not know, and does not see whether their text is UTF-8.
    if body.isascii():
        with contextlib.suppress(msgspec.MsgspecError, RecursionError):
            rows = map(_CELLS, _BODY.decode(body).window)
            return dict(zip(FIELDS, zip(*rows, strict=True), strict=False)) or dict.fromkeys(FIELDS, ())
    return _parse_any_json(body)


def _parse_any_json(body: bytes) -> Columns:
    """Read what the typed parser would not: its cells may be of any type, or it is told what is wrong."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        msg = "the body is no valid JSON"
        raise Malformed(msg) from exc
    if type(document) is not dict:
        msg = "the body must be a JSON object with the key `window`"
        raise Malformed(msg)
    records = document.get("window")
    if type(records) is not list:
        raise Breach(ACCURACY, "`window` must be a list of records")
    if set(map(type, records)) - {dict}:
        raise Breach(ACCURACY, "`window` must hold nothing but records")
    try:
        return {field: [record[field] for record in records] for field in FIELDS}
    except KeyError as exc:
        raise Breach(ACCURACY, f"`{exc.args[0]}` is missing in a record") from exc


def parse_csv(body: bytes) -> Columns:
    """Return the window's columns by field name, an empty cell as None. Raises Malformed or Breach.

    Of several columns with one of the required names none could be preferred: that is Malformed.
    """
    header, cells, rows = _csv_cells(body)
    repeated = next((field for field in FIELDS if header.count(field) > 1), None)
    if repeated:
        msg = f"the CSV header names `{repeated}` twice"
        raise Malformed(msg)
    missing = next((field for field in FIELDS if field not in header), None)
    if missing:
        raise Breach(ACCURACY, f"the CSV header does not name `{missing}`")
    texts = {field: cells[header.index(field) :: len(header)] if rows else [] for field in FIELDS}
    numbers = _numbers(list(chain.from_iterable(texts[field] for field in NUMBERS)))
    times = {field: _times(texts[field]) for field in TIMES}
    return times | {field: numbers[at * rows : (at + 1) * rows] for at, field in enumerate(NUMBERS)}


def _csv_cells(body: bytes) -> tuple[list[str], list[str], int]:
    """Split a CSV text into its header, the cells of all rows one after the other, and the number of rows."""
    text = _csv_text(body)
    lines = text.split("\n")
    if '"' in text:
        return _quoted_cells(lines)
    header = lines[0].split(",")
    if {line.count(",") for line in lines} != {len(header) - 1}:
        raise Malformed(_RAGGED)
    return header, ",".join(lines[1:]).split(","), len(lines) - 1


def _csv_text(body: bytes) -> str:
    """Return the text with LF at the end of each line but the last. Raises Malformed."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as exc:
        msg = "the body is no valid UTF-8"
        raise Malformed(msg) from exc
    if text.startswith("\ufeff"):
        msg = "the body must not begin with a byte order mark"
        raise Malformed(msg)
    text = text.rstrip("\r\n").replace("\r\n", "\n")
    if not text:
        msg = "the body is empty"
        raise Malformed(msg)
    return text


def _quoted_cells(lines: Sequence[str]) -> tuple[list[str], list[str], int]:
    try:
        header, *rows = csv.reader(lines, strict=True)
    except csv.Error as exc:
        msg = "a quote in the CSV body is out of place"
        raise Malformed(msg) from exc
    if any(len(row) != len(header) for row in rows):
        raise Malformed(_RAGGED)
    return header, [cell for row in rows for cell in row], len(rows)


def _times(cells: Sequence[str]) -> Sequence[str | None]:
    return [cell or None for cell in cells] if "" in cells else cells


def _numbers(cells: Sequence[str]) -> Sequence[Any]:
    """Read cells of numbers: what is none stays text, so that the check of types sees it."""
    sheet = ",".join(cells)
    if not sheet.encode().translate(None, delete=_OF_NUMBERS):
        with contextlib.suppress(orjson.JSONDecodeError):
            numbers: list[float] = orjson.loads(f"[{sheet}]")
            if len(numbers) == len(cells):
                return numbers
    return [float(cell) if _NUMBER.fullmatch(cell) else cell or None for cell in cells]


def validate(columns: Columns, now_ns: int | None = None) -> Window:
    """Check every data rule at `now_ns` (nanoseconds since 1970, by default the clock's). Raises Breach."""
    now_ns = time.time_ns() if now_ns is None else now_ns
    _check_complete(columns)
    _check_numbers(columns)
    _check_prices(columns)
    _check_times(columns, now_ns)
    return Window(
        highs=columns["price_high"],
        lows=columns["price_low"],
        closes=columns["price_close"],
        as_of=columns["time_period_end"][-1],
    )


def _check_complete(columns: Columns) -> None:
    """Check that no field is empty, and that there are exactly 60 records."""
    for field, cells in columns.items():
        if None in cells:
            raise Breach(COMPLETENESS, f"`{field}` of record {list(cells).index(None)} is empty")
    found = len(columns["price_close"])
    if found != RECORDS:
        raise Breach(COMPLETENESS, f"the window has {found} records, it needs {RECORDS}")


def _check_numbers(columns: Columns) -> None:
    """Check that every number is a finite one, and that trades are counted in whole ones."""
    for field in NUMBERS:
        cells = columns[field]
        if not _NUMBER_TYPES.issuperset(map(type, cells)):
            raise Breach(ACCURACY, f"`{field}` must be a number in every record")
        if not (min(cells) >= 0 and max(cells) < math.inf):
            raise Breach(ACCURACY, f"`{field}` must be finite and not negative in every record")
    counts = columns["trades_count"]
    if float in map(type, counts) and any(count % 1 for count in counts):
        raise Breach(ACCURACY, "`trades_count` must be a whole number in every record")


def _check_prices(columns: Columns) -> None:
    """Check that prices do not cross, are positive, and are plausible: the lowest and the highest speak for all."""
    low, high = columns["price_low"], columns["price_high"]
    for field in ("price_open", "price_close"):
        cells = columns[field]
        if not (all(map(le, low, cells)) and all(map(le, cells, high))):
            raise Breach(ACCURACY, f"`{field}` must lie between `price_low` and `price_high` in every record")
    if min(low) <= 0:
        raise Breach(ACCURACY, "prices must be above 0")
    if not (min(low) >= LOWEST_USD and max(high) <= HIGHEST_USD):
        raise Breach(RELEVANCY, f"prices must lie between {LOWEST_USD:.0f} and {HIGHEST_USD:.0f} USD")


class _Clock:
    """Timestamps as nanoseconds since 1970; one request's, so that what is sent twice is read once."""

    def __init__(self) -> None:
        self._moments: dict[str, int] = {}
        self._minutes: dict[str, int] = {}

    def read(self, stamps: Sequence[str]) -> list[int]:
        """Read a column. Raises ValueError or KeyError. One loop, because it runs 240 times a request."""
        moments, minutes, read = self._moments, self._minutes, []
        for stamp in stamps:
            found_ns = moments.get(stamp)
            if found_ns is None:
                prefix = stamp[:17]
                minute_ns = minutes.get(prefix)
                if minute_ns is None:
                    minute_ns = minutes[prefix] = _minute_ns(prefix)
                rest = stamp[19:]
                fraction_ns = 0 if rest in _NO_FRACTION else _fraction_ns(rest)
                found_ns = moments[stamp] = minute_ns + _SECONDS_NS[stamp[17:19]] + fraction_ns
            read.append(found_ns)
        return read


def _fraction_ns(text: str) -> int:
    """Read what follows the seconds: `Z`, or a point, up to 9 digits and `Z`."""
    digits = text[1:-1]
    is_fraction = text[:1] == "." and text[-1:] == "Z" and digits.isascii() and digits.isdigit()
    if not is_fraction or len(digits) > _FRACTION_DIGITS:
        raise ValueError(text)
    return int(digits) * 10 ** (_FRACTION_DIGITS - len(digits))


def _minute_ns(prefix: str) -> int:
    match = _MINUTE.fullmatch(prefix)
    if match is None:
        raise ValueError(prefix)
    year, month, day, hour, minute = map(int, match.groups())
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * SECOND_NS


def _read_times(columns: Columns) -> list[list[int]]:
    """Read the four columns of TIMES into nanoseconds since 1970. Raises Breach."""
    clock = _Clock()
    read = []
    for field in TIMES:
        cells = columns[field]
        if set(map(type, cells)) != {str}:
            raise Breach(ACCURACY, f"`{field}` must be text in every record")
        try:
            read.append(clock.read(cells))
        except (ValueError, KeyError) as exc:
            msg = f"`{field}` must name a real time as YYYY-MM-DDThh:mm:ss.fffffffffZ in every record"
            raise Breach(ACCURACY, msg) from exc
    return read


def _check_times(columns: Columns, now_ns: int) -> None:
    """Check that records are oldest first, leave no second out, hold their trades, and that the newest is of now."""
    newest_ns = newest_end_ns(*(columns[field] for field in TIMES))
    if newest_ns is None:
        newest_ns = _check_each_time(columns)
    if newest_ns > now_ns + AHEAD_NS:
        raise Breach(TIMELINESS, "the newest record ends in the future")
    if newest_ns < now_ns - OLDEST_NS:
        raise Breach(TIMELINESS, "the newest record ended more than 60 s ago")


def _check_each_time(columns: Columns) -> int:
    """Read every time by itself, and return the newest record's end. Raises Breach."""
    starts, ends, opens, closes = _read_times(columns)
    _check_order(starts)
    if any(end - start != SECOND_NS for start, end in zip(starts, ends, strict=True)):
        raise Breach(CONSISTENCY, "`time_period_end` must be one second after `time_period_start`")
    if not (all(map(le, starts, opens)) and all(map(le, opens, closes)) and all(map(le, closes, ends))):
        raise Breach(CONSISTENCY, "`time_open` and `time_close` must lie inside the period, in that order")
    return ends[-1]


def _check_order(starts: Iterable[int]) -> None:
    """Check that each second follows the one before it."""
    steps = {later - earlier for earlier, later in pairwise(starts)}
    if min(steps) < 0:
        raise Breach(CONSISTENCY, "records must stand oldest first")
    if steps != {SECOND_NS}:
        raise Breach(COMPLETENESS, "each second must come once, right after the one before it")
