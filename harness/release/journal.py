"""The journal of what is measured: JSON lines, a header first, each on disk before the next."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from _typeshed import DataclassInstance


class RecordBroken(ValueError):  # noqa: N818 - named by what happened
    """A record file cannot be read; the message names the file and the line."""


class Journal:
    """Writes a record; each line is on disk before the next is written, so that it may be read meanwhile."""

    def __init__(self, path: Path, header: DataclassInstance) -> None:
        """Begin a record, in place of what the file held."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._write("header", asdict(header))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, line: DataclassInstance) -> None:
        """Write one thing that was seen, under the name of its kind."""
        self._write(type(line).__name__.lower(), asdict(line))

    def end(self) -> None:
        """Write the mark of a whole record."""
        self._write("end", {})

    def _write(self, kind: str, content: dict[str, Any]) -> None:
        self._file.write(json.dumps({"line": kind, **content}) + "\n")
        self._file.flush()
