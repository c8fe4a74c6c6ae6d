"""The SQLite file of the ledger: where it lies, its tables, and transactions that two processes never share."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_BUSY_S = 5.0
_VERSION = 2
# condition: what was seen wrong, one row a key and sink. delivery: the outbox; one with a parent is a line in its
# thread; `at` is when its state was entered or last renewed: the lease of pending and sending, the acceptance of told.
# telling: which keys a delivery tells of; `recovery` is the delivery that told that one is well again.
_SCHEMA = """
CREATE TABLE condition (
    key TEXT NOT NULL, sink TEXT NOT NULL, target TEXT NOT NULL, variant TEXT NOT NULL, rule TEXT NOT NULL,
    check_name TEXT NOT NULL, severity TEXT NOT NULL, must TEXT NOT NULL, evidence TEXT NOT NULL,
    record TEXT NOT NULL, headline TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('failing', 'well')),
    first_at REAL NOT NULL, last_at REAL NOT NULL, well_at REAL, times INTEGER NOT NULL, due INTEGER NOT NULL,
    told_at REAL, told_by TEXT,
    PRIMARY KEY (key, sink)
);
CREATE INDEX condition_by_check ON condition (sink, target, variant, check_name, state);
CREATE INDEX condition_by_due ON condition (sink, due);
CREATE TABLE delivery (
    id TEXT PRIMARY KEY, sink TEXT NOT NULL, parent TEXT REFERENCES delivery (id) ON DELETE CASCADE,
    headline TEXT NOT NULL, notes TEXT NOT NULL, created_at REAL NOT NULL, at REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'unclear', 'told', 'failed')),
    channel_id TEXT, ts TEXT, version INTEGER NOT NULL DEFAULT 0, shown INTEGER NOT NULL DEFAULT 0,
    held_until REAL NOT NULL DEFAULT 0
);
CREATE INDEX delivery_by_state ON delivery (sink, state);
CREATE INDEX delivery_by_age ON delivery (at);
CREATE TABLE telling (
    delivery_id TEXT NOT NULL REFERENCES delivery (id) ON DELETE CASCADE, key TEXT NOT NULL, recovery TEXT,
    PRIMARY KEY (delivery_id, key)
);
CREATE INDEX telling_by_key ON telling (key);
CREATE TABLE silence (key TEXT PRIMARY KEY, until REAL NOT NULL);
CREATE TABLE pace (sink TEXT PRIMARY KEY, next_at REAL NOT NULL);
"""
# What lies in the future happened just now at the latest: the clock was set back. A window then starts anew, so nothing
# is told twice too soon, and nothing is held back for longer than one window.
_NOT_IN_THE_FUTURE = (
    "UPDATE delivery SET at = :now WHERE at > :now",
    "UPDATE delivery SET held_until = 0 WHERE held_until > :now + 3600",
    """UPDATE condition SET told_at = min(told_at, :now), first_at = min(first_at, :now), last_at = min(last_at, :now),
    well_at = min(well_at, :now) WHERE max(last_at, coalesce(told_at, 0), coalesce(well_at, 0)) > :now""",
)
# What version 1 had told stays told.
_FROM_1 = """
ALTER TABLE delivery RENAME TO old_delivery;
ALTER TABLE alert RENAME TO old_alert;
DROP INDEX alert_by_key;
DROP INDEX delivery_by_age;
{schema}
INSERT OR REPLACE INTO condition
    SELECT old_alert.key, sink, target, '', rule, check_name, 'critical', '', '', '{{}}', '', 'failing', at, at, NULL,
        1, 0, max(at), NULL
    FROM old_alert JOIN old_delivery ON old_delivery.id = old_alert.delivery_id
    WHERE state <> 'failed' GROUP BY old_alert.key, sink;
DROP TABLE old_alert;
DROP TABLE old_delivery;
"""
# File systems that come over a network: processes on two machines share no memory, which WAL needs.
_NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "gluster", "lustre", "gpfs", "beegfs", "fuse.sshfs", "virtiofs")
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE = 0xFF  # the low byte of an extended SQLite error code


class LedgerError(Exception):
    """The ledger cannot be used; the message says why and what to do; `corrupt` where starting anew would mend it."""

    def __init__(self, message: str, *, corrupt: bool = False) -> None:
        super().__init__(message)
        self.corrupt = corrupt


class Database:
    """One connection; every change is one transaction that begins by taking the write lock."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def rows(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        """Return what one statement selects."""
        return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def transaction(self, now: float) -> Iterator[None]:
        """Commit what is done inside, or nothing of it; `now` is UTC epoch seconds."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _NOT_IN_THE_FUTURE:
                self._connection.execute(statement, {"now": now})
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def default_ledger_path(environ: Mapping[str, str]) -> Path:
    """Return the ledger's place: SUT_LEDGER, else $XDG_STATE_HOME/inference-harness/ledger.sqlite3."""
    named = environ.get("SUT_LEDGER", "").strip()
    return Path(named).expanduser() if named else state_folder(environ) / "ledger.sqlite3"


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder for what outlives a run: $XDG_STATE_HOME/inference-harness, or its default below the home."""
    state = environ.get("XDG_STATE_HOME", "")
    home = environ.get("HOME", "")
    if Path(state).is_absolute():  # the XDG specification has relative ones ignored
        root = Path(state)
    else:
        root = Path(home, ".local", "state") if home else Path(tempfile.gettempdir(), f"state-{os.getuid()}")
    return root / "inference-harness"


@contextmanager
def open_database(path: Path | None) -> Iterator[Database]:
    """Open (and create) the ledger's file; None is one in memory, that forgets. Raises LedgerError."""
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = sqlite3.connect(path or ":memory:", timeout=_BUSY_S, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        msg = f"the ledger {path} cannot be opened ({error}): make its folder writable"
        raise LedgerError(msg) from error
    with closing(connection):
        try:
            _prepare(connection, path)
            yield Database(connection)
        except sqlite3.Error as error:
            msg = f"the ledger {path} cannot be used ({error}): make it writable, or move it away to start anew"
            corrupt = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE in _CORRUPT
            raise LedgerError(msg, corrupt=corrupt) from error


def set_aside(path: Path) -> Path:
    """Move a corrupt ledger, and what SQLite keeps beside it, out of the way; return its new place. Raises OSError."""
    aside = path.with_name(f"{path.name}.corrupt")
    for suffix in ("-wal", "-shm"):  # first: left behind, they would be read into the new ledger
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return path.replace(aside)


def journal_mode(path: Path, mounts: str) -> str:
    """Return SQLite's journal for a file: WAL on this machine's own disks, DELETE where other machines may share it."""
    found = ("", "")
    for line in mounts.splitlines():
        _, place, kind, *_ = line.split()
        if path.is_relative_to(place.replace("\\040", " ")) and len(place) >= len(found[0]):
            found = (place, kind)
    return "DELETE" if found[1].startswith(_NETWORK) else "WAL"


def _prepare(connection: sqlite3.Connection, path: Path | None) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    if path is not None and _version(connection) == 0:
        connection.execute(f"PRAGMA journal_mode = {journal_mode(path.resolve(), _mounts())}")
    if _version(connection) < _VERSION:
        _create(connection)
    if _version(connection) != _VERSION:
        msg = f"schema {_version(connection)}, this harness knows {_VERSION}"
        raise sqlite3.DatabaseError(msg)


def _mounts() -> str:
    mounts = Path("/proc/self/mounts")
    return mounts.read_text(encoding="utf-8", errors="replace") if mounts.exists() else ""


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)  # another process may have been faster
        if version < _VERSION:
            script = _SCHEMA if version == 0 else _FROM_1.format(schema=_SCHEMA)
            for statement in script.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
