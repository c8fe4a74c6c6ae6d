"""The files that a data set comes in: CSV, packed or not, and Parquet; what each holds, and what of it is no row."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING

import duckdb

from harness.audit.data_columns import TEXT, literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PARQUET, _GZIP = b"PAR1", b"\x1f\x8b"
# More faulty lines than this are not counted one by one.
MOST_RAGGED = 100_000
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class DataUnreadable(Exception):  # noqa: N818 - named by what happened
    """A data set cannot be read; the message is one sentence that names the file and the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """One file: `types` are DuckDB's, by column; `source` is what a query reads it from; `ragged` lines are no rows."""

    path: Path
    source: str
    is_text: bool
    types: Mapping[str, str] = field(default_factory=dict)
    ragged: int = 0

    def with_ragged_lines(self, connection: duckdb.DuckDBPyConnection) -> DataFile:
        """Return the file with the number of its lines that the last query found to be no rows."""
        if not self.is_text:
            return self
        counted = "SELECT count(DISTINCT line) FROM reject_errors"
        (ragged,) = connection.execute(counted).fetchone() or (0,)
        connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
        return replace(self, ragged=ragged)


def open_files(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> tuple[DataFile, ...]:
    """Look at the head of each file; raise `DataUnreadable` for the first that is no table."""
    return tuple(_opened(connection, path) for path in paths)


def _opened(connection: duckdb.DuckDBPyConnection, path: Path) -> DataFile:
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise DataUnreadable(msg) from error
    if not head:
        msg = f"{path}: is empty"
        raise DataUnreadable(msg)
    if head.startswith(_PARQUET):
        return _parquet(connection, path)
    if b"\0" in head and not head.startswith(_GZIP):
        msg = f"{path}: is neither CSV nor Parquet"
        raise DataUnreadable(msg)
    return _text(path, is_packed=head.startswith(_GZIP))


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> DataFile:
    source = f"read_parquet({literal(str(path))})"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    except duckdb.Error as error:
        msg = f"{path}: begins as Parquet, and cannot be read as such: {str(error).splitlines()[0]}"
        raise DataUnreadable(msg) from error
    return DataFile(path=path, source=source, is_text=False, types={row[0]: row[1] for row in described})


def _text(path: Path, *, is_packed: bool) -> DataFile:
    try:
        with _open_text(path, is_packed=is_packed) as stream:
            names = next(csv.reader(stream), [])
    except (OSError, UnicodeDecodeError, csv.Error, EOFError) as error:
        msg = f"{path}: is neither CSV nor Parquet: {error}"
        raise DataUnreadable(msg) from error
    _check_header(path, names)
    columns = ", ".join(f"{literal(name)}: '{TEXT}'" for name in names)
    packing = "gzip" if is_packed else "none"
    source = (
        f"read_csv({literal(str(path))}, columns = {{{columns}}}, auto_detect = false, header = true, delim = ',', "
        f"quote = '\"', escape = '\"', compression = '{packing}', store_rejects = true, rejects_limit = {MOST_RAGGED})"
    )
    return DataFile(path=path, source=source, is_text=True, types=dict.fromkeys(names, TEXT))


def _open_text(path: Path, *, is_packed: bool) -> IO[str]:
    if is_packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _check_header(path: Path, names: Sequence[str]) -> None:
    if len(names) == 1:
        for separator, said in _OTHER_SEPARATORS.items():
            if separator in names[0]:
                msg = f"{path}: its columns are separated by {said}: write it with commas"
                raise DataUnreadable(msg)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        msg = f"{path}: has two columns {twice[0]!r}: which of them counts is not known"
        raise DataUnreadable(msg)
    if not any(name.strip() for name in names):
        msg = f"{path}: has no header line that names its columns"
        raise DataUnreadable(msg)
