"""The container's log: one JSON object per line on standard output."""

import contextlib
import logging
import sys
import time
import traceback
from typing import Any

import orjson


class Lines:
    """Lines that are written together: each writing wakes whoever collects the log."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def add(self, **fields: Any) -> None:  # noqa: ANN401 - a log line carries any kind of value
        """Keep a line until `write`, with the time in seconds since 1970 first."""
        line = {"time": round(time.time(), 3), **fields}
        self._lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def write(self) -> None:
        """Write all lines that were kept; a log that nobody takes is no reason to stop serving."""
        lines, self._lines = self._lines, []
        with contextlib.suppress(OSError):
            sys.stdout.buffer.write(b"".join(lines))
            sys.stdout.buffer.flush()


def write_line(**fields: Any) -> None:  # noqa: ANN401 - likewise
    """Write one line now."""
    lines = Lines()
    lines.add(**fields)
    lines.write()


def write_failure(exc: BaseException) -> None:
    """Write a mistake of our own, with its traceback."""
    write_line(event="failure", traceback="".join(traceback.format_exception(exc)))


class JsonLine(logging.Formatter):
    """Format the server's own messages as such lines too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; a traceback stands in it as text."""
        fields = {"time": round(record.created, 3), "event": "server", "level": record.levelname.lower()}
        fields["message"] = record.getMessage()
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(fields).decode()
