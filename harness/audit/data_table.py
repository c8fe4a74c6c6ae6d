"""The files of a data set as one table in DuckDB: in the order in which they are given, and in bounded memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from harness.audit.data_columns import literal
from harness.audit.data_files import DataUnreadable
from harness.audit.data_order import Order
from harness.audit.data_source import STAGED, Source, source_of
from harness.contract.records import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.audit.data_columns import Column
    from harness.contract.profile import WindowRule

# Half of what an audit may hold: the rest is Python's, and what the engine does not count.
_MEMORY_LIMIT = "1GB"

Answer = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Table:
    """A data set that can be asked; queries speak of roles: `start`, `close`, `volume`, and `raw_close` for no number.

    `records` holds the rows as they stand; once the order is settled, `ordered` holds those that have a start, oldest
    first. `at_row` numbers the rows from 0, and is NULL where that cannot be known beforehand.
    """

    rule: WindowRule
    source: Source
    order: Order = field(default_factory=Order)
    _connection: duckdb.DuckDBPyConnection
    _folder: Path

    @property
    def columns(self) -> tuple[Column, ...]:
        """The profile's columns, whether they are there or not."""
        return self.source.columns

    @property
    def extra(self) -> tuple[str, ...]:
        """The names of the columns that the profile does not know."""
        return self.source.extra

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return self.source.row_count

    @property
    def present(self) -> frozenset[str]:
        """The keys of the columns that any file has."""
        files = self.source.files
        return frozenset(one.key for one in self.columns if any(one.name in file.types for file in files))

    @property
    def ragged(self) -> int:
        """How many lines of the files are no rows."""
        return sum(file.ragged for file in self.source.files)

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
        if self.source.start_type == "BIGINT":
            return str(moment_ns)
        if self.source.start_type == "TIMESTAMP WITH TIME ZONE":
            return f"to_timestamp({moment_ns / SECOND_NS!r})"
        return f"CAST(make_timestamp_ns({moment_ns}) AS {self.source.start_type})"

    def settle(self, order: Order) -> None:
        """Take the order for that of the rows, and put them in order where they are not, in a file beside."""
        self.order, source = order, "records"
        if order.back:
            path = literal(str(self._folder / "ordered"))
            in_order = "SELECT * FROM records WHERE start IS NOT NULL ORDER BY start"
            self._connection.execute(f"COPY ({in_order}) TO {path} ({STAGED})")
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
    source = source_of(connection, paths, rule, folder)
    if not source.row_count:
        msg = f"{', '.join(map(str, paths))}: holds no rows"
        raise DataUnreadable(msg)
    connection.execute(f"CREATE VIEW records AS {source.query}")
    return Table(rule=rule, source=source, _connection=connection, _folder=folder)
