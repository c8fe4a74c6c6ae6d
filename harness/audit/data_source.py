"""Where the rows of a data set come from: typed Parquet as it is, all else written beside, so that it is read once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from harness.audit.data_columns import Column, columns_of, extras, is_typed, literal, quoted, selection
from harness.audit.data_files import DataFile, open_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from harness.contract.profile import WindowRule

# What is read again and again, and soon thrown away, is not worth packing.
STAGED = "FORMAT parquet, COMPRESSION uncompressed"
# What DuckDB calls a row's place, where a file has no columns of these names.
_ROW_NUMBERS = frozenset({"file_row_number", "file_index"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The files, and the query of all their rows as they stand; `start_type` is DuckDB's type of `stored_start`."""

    files: tuple[DataFile, ...]
    columns: tuple[Column, ...]
    extra: tuple[str, ...]
    query: str
    start_type: str
    row_count: int


def source_of(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], rule: WindowRule, folder: Path) -> Source:
    """Open files, in the order given; `folder` is for what has to be written beside."""
    files, columns = open_files(connection, paths), columns_of(rule)
    types: dict[str, str] = {name: kind for file in files for name, kind in file.types.items()}
    extra = extras(types, columns)
    if all(file.types == files[0].types and not file.is_text for file in files) and is_typed(types, columns):
        counts, start = _row_counts(connection, paths), rule.named("start")
        stored, start_type = (quoted(start), types[start]) if start in types else ("NULL", "BIGINT")
        rows = f"({_numbered(paths, counts, types, stored)})"
        query = selection(types, columns, extra, rows, beside=("stored_start", "at_row"))
    else:
        parts = [folder / f"{n:05d}" for n in range(len(files))]
        files = tuple(_staged(connection, *pair, columns, extra) for pair in zip(files, parts, strict=True))
        counts, start_type = _row_counts(connection, parts), "BIGINT"
        query = _numbered(parts, counts, {}, "start")
    return Source(files=files, columns=columns, extra=extra, query=query, start_type=start_type, row_count=sum(counts))


def _staged(
    connection: duckdb.DuckDBPyConnection, file: DataFile, to: Path, columns: tuple[Column, ...], extra: tuple[str, ...]
) -> DataFile:
    """Write a file's values beside; return the file with what was no row."""
    query = selection(file.types, columns, extra, file.source)
    connection.execute(f"COPY ({query}) TO {literal(str(to))} ({STAGED})")
    return file.with_ragged_lines(connection)


def _row_counts(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> list[int]:
    """Return how many rows each file has, as its end says."""
    listed = ", ".join(literal(str(path)) for path in paths)
    found = connection.execute(f"SELECT file_name, num_rows FROM parquet_file_metadata([{listed}])").fetchall()
    counts = dict(found)
    return [counts[str(path)] for path in paths]


def _numbered(paths: Sequence[Path], counts: Sequence[int], types: Mapping[str, str], stored: str) -> str:
    """Return the query of all rows with their starts as stored and their numbers over all files, from 0.

    Each core can tell a row's number so, where counting rows would keep one busy. It is NULL where a file's own columns
    stand in the way.
    """
    before = list(accumulate(counts, initial=0))[:-1]
    number = f"file_row_number + list_extract({before}::BIGINT[], file_index::BIGINT + 1)"
    if len(counts) == 1:
        number = "file_row_number"
    if _ROW_NUMBERS & {*types}:
        number = "NULL"
    listed = ", ".join(literal(str(path)) for path in paths)
    return f"SELECT *, {stored} AS stored_start, {number} AS at_row FROM read_parquet([{listed}])"
