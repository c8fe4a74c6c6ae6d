"""The container's log: one JSON object per line on standard output."""

import logging
import sys
import time
import traceback
from typing import Any

import orjson


def write_line(**fields: Any) -> None:  # noqa: ANN401 - a log line carries any kind of value
    """Write one line, with the time in seconds since 1970 first."""
    line = orjson.dumps({"time": round(time.time(), 3), **fields}, option=orjson.OPT_APPEND_NEWLINE)
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


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
