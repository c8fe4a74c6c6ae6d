"""The feed that the service is given: a CSV file that grows, an address that returns records, or a Python callable."""

from __future__ import annotations

import csv
import importlib
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.system.client import NoAnswer, fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.contract.profile import WindowRule
    from harness.contract.records import Record

_TAIL_BYTES = 512 * 1024
_ANSWER_BYTES = 8 * 1024 * 1024
_TIMEOUT_S = 10.0
_CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_OK = 200


class FeedUnreadable(Exception):  # noqa: N818 - named by what is the case
    """The feed gave no records; the message says why."""


class FeedUnknown(ValueError):  # noqa: N818 - named by what is the case
    """What was named as a feed is none; the message says what is."""


class Feed(Protocol):
    """Something that gives the newest records, oldest first."""

    def read(self) -> list[Record]:
        """Return the newest records: a window at least, and more where it has more. Raises FeedUnreadable."""
        ...


def open_feed(name: str, rule: WindowRule) -> Feed:
    """Return the feed of a name: http(s)://..., package.module:function, or a file's path. Raises FeedUnknown."""
    if name.startswith(("http://", "https://")):
        return HttpFeed(name, rule)
    if _CALLABLE.fullmatch(name):
        return CallableFeed(_imported(name))
    return CsvFeed(Path(name), rule)


class CsvFeed:
    """A CSV file with a header line, to whose end somebody writes; only the end is read."""

    def __init__(self, path: Path, rule: WindowRule) -> None:
        self._path = path
        self._rule = rule

    def read(self) -> list[Record]:
        """Return the records at the end; a line that is still being written is left for the next time."""
        try:
            with self._path.open("rb") as file:
                header = file.readline()
                begin = max(len(header), file.seek(0, io.SEEK_END) - _TAIL_BYTES)
                file.seek(begin)
                tail = file.read(_TAIL_BYTES)
        except OSError as error:
            msg = f"{self._path} cannot be read: {error.strerror or error}"
            raise FeedUnreadable(msg) from error
        whole = tail[: tail.rfind(b"\n") + 1]
        if begin > len(header):
            whole = whole[whole.find(b"\n") + 1 :]  # the first line was cut in two
        return _from_csv(header + whole, self._rule)


class HttpFeed:
    """An address that answers with records: a JSON array, a JSON object with them under the window's key, or CSV."""

    def __init__(self, url: str, rule: WindowRule) -> None:
        self._url = url
        self._rule = rule

    def read(self) -> list[Record]:
        """Ask for the records."""
        try:
            answer = fetch(self._url, timeout_s=_TIMEOUT_S, limit_bytes=_ANSWER_BYTES)
        except NoAnswer as error:
            msg = f"it does not answer: {error.failure}"
            raise FeedUnreadable(msg) from error
        if answer.status != _OK or len(answer.body) > _ANSWER_BYTES:
            too_long = f"its answer is longer than {_ANSWER_BYTES} bytes"
            raise FeedUnreadable(f"it answers {answer.status}" if answer.status != _OK else too_long)
        is_csv = "csv" in answer.headers.get("content-type", "")
        return _from_csv(answer.body, self._rule) if is_csv else _from_json(answer.body, self._rule)


class CallableFeed:
    """A function that returns records."""

    def __init__(self, function: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        self._function = function

    def read(self) -> list[Record]:
        """Call it."""
        try:
            return _records(list(self._function()))
        except FeedUnreadable:
            raise
        except Exception as error:
            msg = f"it raised {type(error).__name__}: {error}"
            raise FeedUnreadable(msg) from error


def _imported(name: str) -> Callable[[], Iterable[Mapping[str, Any]]]:
    module, _, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        msg = f"feed {name}: {error}: name a file, an http(s) address, or package.module:function on PYTHONPATH"
        raise FeedUnknown(msg) from error
    if not callable(function):
        msg = f"feed {name} cannot be called: name a function that returns records"
        raise FeedUnknown(msg)
    return function  # type: ignore[no-any-return]  # what it returns is looked at when it is called


def _from_json(body: bytes, rule: WindowRule) -> list[Record]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        msg = f"its answer is no JSON: {error}"
        raise FeedUnreadable(msg) from error
    rows = parsed.get(rule.key) if isinstance(parsed, dict) else parsed
    if not isinstance(rows, list):
        msg = f"its answer holds no list of records, neither at the top nor under {rule.key!r}"
        raise FeedUnreadable(msg)
    return _records(rows)


def _records(rows: Sequence[Any]) -> list[Record]:
    if not all(isinstance(row, Mapping) for row in rows):
        msg = "it gives something that is no record"
        raise FeedUnreadable(msg)
    return [dict(row) for row in rows]


def _from_csv(text: bytes, rule: WindowRule) -> list[Record]:
    try:
        rows = csv.DictReader(io.StringIO(text.decode("utf-8"), newline=""), strict=True)
        return [{name: _cell(rule, name, cell) for name, cell in row.items() if name is not None} for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"it is no CSV: {error}"
        raise FeedUnreadable(msg) from error


def _cell(rule: WindowRule, name: str, cell: str | None) -> object:
    """Read a cell as the field's kind; what does not fit stays text, and is found to be wrong."""
    if cell is None or cell == "":
        return None
    field = rule.fields.get(name)
    if field is None or field.kind == "timestamp":
        return cell
    try:
        return int(cell) if field.kind == "integer" else float(cell)
    except ValueError:
        return cell
