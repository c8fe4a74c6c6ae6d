"""The files of a data set as one table in DuckDB: in the order in which they are given, and in bounded memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
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
from harness.contract.records import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract.profile import WindowRule

# Half of what an audit may hold: the rest is Python's, and what the engine does not count.
_MEMORY_LIMIT = "1GB"
_ORDER = Template("""
SELECT count(start) AS timed, min(start) AS first_ns, max(start) AS last_ns,
  count(*) FILTER (start < before) AS earlier, count(*) FILTER (start > before) AS later,
  count(*) FILTER (start - before = $period_ns) AS regular
FROM (SELECT start, lag(start) OVER () AS before FROM records WHERE start IS NOT NULL)
""")

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How rows follow each other: `timed` have a start; steps lead `back` in time, `on`, or on by one period."""

    rows: int = 0
    timed: int = 0
    first_ns: int = 0
    last_ns: int = 0
    back: int = 0
    on: int = 0
    regular: int = 0

    @property
    def is_regular(self) -> bool:
        """Whether every row begins one period after the one before it."""
        return self.timed == self.rows and self.regular == self.steps

    @property
    def steps(self) -> int:
        """How many steps lie between rows that have a start."""
        return max(self.timed - 1, 0)


@dataclass(slots=True, kw_only=True)
class Table:
    """A data set that can be asked; queries speak of roles: `start`, `close`, `volume`, and `raw_close` for no number.

    `records` holds the rows as they stand, `ordered` those that have a start, oldest first.
    """

    rule: WindowRule
    files: tuple[DataFile, ...]
    columns: tuple[Column, ...]
    extra: tuple[str, ...]
    order: Order = field(default_factory=Order)
    _connection: duckdb.DuckDBPyConnection
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
    is_uniform = all(file.types == files[0].types for file in files)
    if is_uniform and not files[0].is_text and is_typed(found, columns):
        source = f"read_parquet([{', '.join(literal(str(file.path)) for file in files)}])"
        start = rule.named("start")
        stored, kind = (quoted(start), found[start]) if start in found else ("NULL", "BIGINT")
        query = selection(found, columns, extra, source).replace("SELECT ", f"SELECT {stored} AS stored_start, ", 1)
    else:
        files = tuple(_staged(connection, file, columns, extra, folder / f"{n:05d}") for n, file in enumerate(files))
        query, kind = f"SELECT *, start AS stored_start FROM {_parts(folder, len(files))}", "BIGINT"
    connection.execute(f"CREATE VIEW records AS {query}")
    table = Table(rule=rule, files=files, columns=columns, extra=extra, _connection=connection, _at=kind)
    _order(connection, table, folder)
    return table


def _parts(folder: Path, count: int) -> str:
    return f"read_parquet([{', '.join(literal(str(folder / f'{n:05d}')) for n in range(count))}])"


def _staged(
    connection: duckdb.DuckDBPyConnection, file: DataFile, columns: tuple[Column, ...], extra: tuple[str, ...], to: Path
) -> DataFile:
    """Write a file's values beside, so that its text is read once; return the file with what was no row."""
    query = selection(file.types, columns, extra, file.source)
    connection.execute(f"COPY ({query}) TO {literal(str(to))} (FORMAT parquet)")
    return file.with_ragged_lines(connection)


def _order(connection: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> None:
    rows = table.row("SELECT count(*) AS rows FROM records")["rows"]
    if not rows:
        msg = f"{', '.join(str(file.path) for file in table.files)}: holds no rows"
        raise DataUnreadable(msg)
    found = table.row(_ORDER.substitute(period_ns=round(table.rule.period_s * SECOND_NS)))
    table.order = Order(
        rows=rows,
        timed=found["timed"],
        first_ns=found["first_ns"] or 0,
        last_ns=found["last_ns"] or 0,
        back=found["earlier"],
        on=found["later"],
        regular=found["regular"],
    )
    source = "records"
    if table.order.back:
        sorted_file = literal(str(folder / "ordered"))
        in_order = "SELECT * FROM records WHERE start IS NOT NULL ORDER BY start"
        connection.execute(f"COPY ({in_order}) TO {sorted_file} (FORMAT parquet)")
        source = f"read_parquet({sorted_file})"
    connection.execute(f"CREATE VIEW ordered AS SELECT * FROM {source} WHERE start IS NOT NULL")
