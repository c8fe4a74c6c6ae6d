"""The files of a data set as one table in DuckDB: in the order in which they are given, and in bounded memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from harness.audit.data_columns import (
    Column,
    columns_of,
    extras,
    is_typed,
    literal,
    quoted,
    selection,
)
from harness.audit.data_files import DataFile, DataUnreadable, open_files
from harness.audit.data_order import Order
from harness.contract.records import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract.profile import WindowRule

# Half of what an audit may hold: the rest is Python's, and what the engine does not count.
_MEMORY_LIMIT = "1GB"
# What is read again and again, and soon thrown away, is not worth packing.
_STAGED = "FORMAT parquet, COMPRESSION uncompressed"
# What DuckDB calls a row's place, where a file has no columns of these names.
_ROW_NUMBERS = frozenset({"file_row_number", "file_index"})
Answer = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Table:
    """A data set that can be asked; queries speak of roles: `start`, `close`, `volume`, and `raw_close` for no number.

    `records` holds the rows as they stand; once the order is settled, `ordered` holds those that have a start, oldest
    first. `at_row` numbers the rows from 0, and is NULL where that cannot be known beforehand.
    """

    rule: WindowRule
    files: tuple[DataFile, ...]
    columns: tuple[Column, ...]
    extra: tuple[str, ...]
    row_count: int
    order: Order = field(default_factory=Order)
    _connection: duckdb.DuckDBPyConnection
    _folder: Path
    _at: str

    @property
    def present(self) -> frozenset[str]:
        """The keys of the columns that any file has."""
        return frozenset(one.key for one in self.columns if any(one.name in file.types for file in self.files))

    @property
    def ragged(self) -> int:
        """How many lines of the files are no rows."""
        return sum(file.ragged for file in self.files)

    def rows(self, query: str) -> list[Answer]:
        """Return the rows of an answer, by column; it may be asked from several threads at once."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(query)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def row(self, query: str) -> Answer:
        """Return the one row of an answer."""
        (found,) = self.rows(query)
        return found

    def between(self, begin_ns: int, end_ns: int) -> str:
        """Return the condition that a row starts at or after a moment, and before another (Unix time, nanoseconds).

        It asks of the start as it is stored: whole parts of a file are passed over by what their heads say of it.
        """
        return f"stored_start >= {self._stored(begin_ns)} AND stored_start < {self._stored(end_ns)}"

    def _stored(self, moment_ns: int) -> str:
        if self._at == "BIGINT":
            return str(moment_ns)
        if self._at == "TIMESTAMP WITH TIME ZONE":
            return f"to_timestamp({moment_ns / SECOND_NS!r})"
        return f"CAST(make_timestamp_ns({moment_ns}) AS {self._at})"

    def settle(self, order: Order) -> None:
        """Take the order for that of the rows, and put them in order where they are not, in a file beside."""
        self.order, source = order, "records"
        if order.back:
            path = literal(str(self._folder / "ordered"))
            in_order = "SELECT * FROM records WHERE start IS NOT NULL ORDER BY start"
            self._connection.execute(f"COPY ({in_order}) TO {path} ({_STAGED})")
            source = f"read_parquet({path})"
        self._connection.execute(f"CREATE VIEW ordered AS SELECT * FROM {source} WHERE start IS NOT NULL")

    def keep(self, name: str, query: str) -> None:
        """Keep the rows of an answer as a table that can be asked in turn."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(f"CREATE TABLE {name} AS {query}")
        finally:
            cursor.close()


@contextmanager
def opened(paths: Sequence[Path], rule: WindowRule) -> Iterator[Table]:
    """Open files as one table; raise `DataUnreadable` with one sentence where they are none.

    What is text is read once, into a file beside; so is what has to be put in order.
    """
    folder = Path(tempfile.mkdtemp(prefix="harness-audit-"))
    connection = duckdb.connect(config=_settings(folder))
    try:
        yield _table(connection, paths, rule, folder)
    except duckdb.Error as error:
        msg = f"the data cannot be read: {str(error).splitlines()[0]}"
        raise DataUnreadable(msg) from error
    finally:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)


def _settings(folder: Path) -> dict[str, str | bool | int | float | list[str]]:
    cores = len(os.sched_getaffinity(0))
    spill = folder / "spill"
    spill.mkdir()
    return {"threads": cores, "memory_limit": _MEMORY_LIMIT, "temp_directory": str(spill)}


def _table(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], rule: WindowRule, folder: Path) -> Table:
    files, columns = open_files(connection, paths), columns_of(rule)
    found: dict[str, str] = {name: kind for file in files for name, kind in file.types.items()}
    extra = extras(found, columns)
    is_typed_parquet = all(file.types == files[0].types and not file.is_text for file in files)
    if is_typed_parquet and is_typed(found, columns):
        parts, start = [file.path for file in files], rule.named("start")
        stored, kind = (quoted(start), found[start]) if start in found else ("NULL", "BIGINT")
    else:
        parts, stored, kind = [folder / f"{n:05d}" for n in range(len(files))], "start", "BIGINT"
        files = tuple(_staged(connection, *pair, columns, extra) for pair in zip(files, parts, strict=True))
    counts = _row_counts(connection, parts)
    if not sum(counts):
        msg = f"{', '.join(map(str, paths))}: holds no rows"
        raise DataUnreadable(msg)
    numbered = "NULL" if _ROW_NUMBERS & {*found} else _at_row(counts)
    query = f"SELECT *, {stored} AS stored_start, {numbered} AS at_row FROM {_parquet(parts)}"
    if parts[0] == files[0].path:
        query = selection(found, columns, extra, f"({query})", beside=("stored_start", "at_row"))
    connection.execute(f"CREATE VIEW records AS {query}")
    return Table(
        rule=rule,
        files=files,
        columns=columns,
        extra=extra,
        row_count=sum(counts),
        _connection=connection,
        _folder=folder,
        _at=kind,
    )


def _staged(
    connection: duckdb.DuckDBPyConnection, file: DataFile, to: Path, columns: tuple[Column, ...], extra: tuple[str, ...]
) -> DataFile:
    """Write a file's values beside, so that its text is read once; return the file with what was no row."""
    query = selection(file.types, columns, extra, file.source)
    connection.execute(f"COPY ({query}) TO {literal(str(to))} ({_STAGED})")
    return file.with_ragged_lines(connection)


def _parquet(paths: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(literal(str(path)) for path in paths)}])"


def _row_counts(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> list[int]:
    """Return how many rows each file has, as its end says."""
    listed = ", ".join(literal(str(path)) for path in paths)
    found = connection.execute(f"SELECT file_name, num_rows FROM parquet_file_metadata([{listed}])").fetchall()
    counts = dict(found)
    return [counts[str(path)] for path in paths]


def _at_row(counts: Sequence[int]) -> str:
    """Return a row's number over all files; each core can tell it, where counting rows would keep one busy."""
    if len(counts) == 1:
        return "file_row_number"
    before = list(accumulate(counts, initial=0))[:-1]
    return f"file_row_number + list_extract({before}::BIGINT[], file_index::BIGINT + 1)"
