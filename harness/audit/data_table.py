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

from harness.audit.data_columns import (
    Column,
    columns_of,
    expressions,
    extra_expressions,
    extras,
    is_typed,
    literal,
)
from harness.audit.data_files import DataFile, DataUnreadable, open_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract.profile import WindowRule

# Half of what an audit may hold: the rest is Python's, and what the engine does not count.
_MEMORY_LIMIT = "1GB"
_OUT_OF_ORDER = """
SELECT count(*) FILTER (start < before) AS earlier, count(*) FILTER (start > before) AS later, count(before) AS steps
FROM (SELECT start, lag(start) OVER () AS before FROM records WHERE start IS NOT NULL)
"""

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How the rows follow each other as they stand: how many steps lead back, how many on, of how many."""

    back: int
    on: int
    steps: int


@dataclass(slots=True, kw_only=True)
class Table:
    """A data set that can be asked; queries speak of roles: `start`, `close`, `volume`, and `raw_close` for no number.

    `records` holds the rows as they stand, `ordered` those that have a start, oldest first.
    """

    rule: WindowRule
    files: tuple[DataFile, ...]
    columns: tuple[Column, ...]
    extra: tuple[str, ...]
    order: Order = field(default_factory=lambda: Order(back=0, on=0, steps=0))
    _connection: duckdb.DuckDBPyConnection

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

    def share_read(self) -> float:
        """Return how much of the running queries is done, as the engine estimates it, from 0 to 1."""
        return max(self._connection.query_progress(), 0.0) / 100


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


def _settings(folder: Path) -> dict[str, str | int]:
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
        selected = [*expressions(found, columns), *extra_expressions(extra, found)]
        connection.execute(f"CREATE VIEW records AS SELECT {', '.join(selected)} FROM {source}")
    else:
        files = tuple(_staged(connection, file, columns, extra, folder / f"{n:05d}") for n, file in enumerate(files))
        connection.execute(f"CREATE VIEW records AS SELECT * FROM {_parts(folder, len(files))}")
    table = Table(rule=rule, files=files, columns=columns, extra=extra, _connection=connection)
    if not table.row("SELECT EXISTS (SELECT 1 FROM records) AS found")["found"]:
        msg = f"{', '.join(str(path) for path in paths)}: holds no rows"
        raise DataUnreadable(msg)
    _order(connection, table, folder)
    return table


def _parts(folder: Path, count: int) -> str:
    return f"read_parquet([{', '.join(literal(str(folder / f'{n:05d}')) for n in range(count))}])"


def _staged(
    connection: duckdb.DuckDBPyConnection, file: DataFile, columns: tuple[Column, ...], extra: tuple[str, ...], to: Path
) -> DataFile:
    """Write a file's values beside, so that its text is read once; return the file with what was no row."""
    selected = ", ".join([*expressions(file.types, columns), *extra_expressions(extra, file.types)])
    connection.execute(f"COPY (SELECT {selected} FROM {file.source}) TO {literal(str(to))} (FORMAT parquet)")
    return file.with_ragged_lines(connection)


def _order(connection: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> None:
    found = table.row(_OUT_OF_ORDER)
    table.order = Order(back=found["earlier"], on=found["later"], steps=found["steps"])
    source = "records"
    if table.order.back:
        source = f"read_parquet({literal(str(folder / 'ordered'))})"
        to = literal(str(folder / "ordered"))
        connection.execute(
            f"COPY (SELECT * FROM records WHERE start IS NOT NULL ORDER BY start) TO {to} (FORMAT parquet)"
        )
    connection.execute(f"CREATE VIEW ordered AS SELECT * FROM {source} WHERE start IS NOT NULL")
