"""The ledger of what was told, where and when: an outbox in SQLite, shared by every run of this user."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.alerts.alert import Alert

WINDOW_S = 24 * 3600.0
LEASE_S = 120.0  # far above the time that one delivery may take, so that only a dead process loses it
_KEPT_S = 30 * 24 * 3600.0
_BUSY_S = 5.0
_VERSION = 1
# `at` is when the state was entered or last renewed: the lease of pending and sending, the acceptance of told.
_SCHEMA = """
CREATE TABLE delivery (
    id TEXT PRIMARY KEY, sink TEXT NOT NULL, created_at REAL NOT NULL, at REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'unclear', 'told', 'failed')),
    channel_id TEXT, ts TEXT
);
CREATE TABLE alert (
    delivery_id TEXT NOT NULL REFERENCES delivery (id) ON DELETE CASCADE, key TEXT NOT NULL,
    target TEXT NOT NULL, rule TEXT NOT NULL, check_name TEXT NOT NULL,
    PRIMARY KEY (delivery_id, key)
);
CREATE INDEX alert_by_key ON alert (key);
CREATE INDEX delivery_by_age ON delivery (at);
"""

_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE = 0xFF  # the low byte of an extended SQLite error code


class LedgerError(Exception):
    """The ledger cannot be used; the message says why and what to do; `corrupt` where starting anew would mend it."""

    def __init__(self, message: str, *, corrupt: bool = False) -> None:
        super().__init__(message)
        self.corrupt = corrupt


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a delivery ended: accepted at `at` (UTC epoch seconds, default now), given up, or nobody knows."""

    state: Literal["told", "failed", "unclear"]
    at: float | None = None
    channel_id: str | None = None
    ts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """A delivery that was attempted, and of which nobody knows whether it was accepted; times in UTC epoch seconds."""

    id: str
    created_at: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What this run may tell; of the rest, `suppressed` was told within the window and `elsewhere` may be just now."""

    delivery_id: str
    fresh: tuple[Alert, ...]
    suppressed: int
    elsewhere: int


def default_ledger_path(environ: Mapping[str, str]) -> Path:
    """Return the ledger's place: $XDG_STATE_HOME/inference-harness/ledger.sqlite3, or its default below the home."""
    state = environ.get("XDG_STATE_HOME", "")
    home = environ.get("HOME", "")
    if Path(state).is_absolute():  # the XDG specification has relative ones ignored
        root = Path(state)
    else:
        root = Path(home, ".local", "state") if home else Path(tempfile.gettempdir(), f"state-{os.getuid()}")
    return root / "inference-harness" / "ledger.sqlite3"


class Ledger:
    """Deliveries and their alerts; every change is one transaction, so two processes never claim the same alert."""

    def __init__(self, connection: sqlite3.Connection, *, window_s: float = WINDOW_S) -> None:
        self._db = connection
        self._window_s = window_s

    def unsettled(self, sink: str, now: float) -> tuple[Unsettled, ...]:
        """Return this sink's deliveries that may or may not have been accepted, newest first."""
        with self._transaction(now):
            rows = self._db.execute(
                "SELECT id, created_at, at FROM delivery WHERE sink = ? AND at > ?"
                " AND (state = 'unclear' OR (state = 'sending' AND at <= ?)) ORDER BY at DESC",
                (sink, now - self._window_s, now - LEASE_S),
            ).fetchall()
        return tuple(Unsettled(id=row[0], created_at=row[1], at=row[2]) for row in rows)

    def claim(self, alerts: Sequence[Alert], sink: str, now: float) -> Claim:
        """Commit as pending the alerts that nobody told to this sink within the window, or is telling it now."""
        by_key: dict[str, Alert] = {}
        for alert in alerts:
            by_key.setdefault(alert.dedup_key, alert)
        delivery_id = uuid.uuid4().hex
        with self._transaction(now):
            self._db.execute("DELETE FROM delivery WHERE at < ?", (now - _KEPT_S,))
            states = {key: self._state(key, sink, now) for key in by_key}
            fresh = {key: alert for key, alert in by_key.items() if states[key] == "fresh"}
            if fresh:
                self._insert(delivery_id, fresh, sink, now)
        told, elsewhere = (sum(state == wanted for state in states.values()) for wanted in ("told", "elsewhere"))
        return Claim(delivery_id=delivery_id, fresh=tuple(fresh.values()), suppressed=told, elsewhere=elsewhere)

    def attempt(self, delivery_id: str, now: float) -> bool:
        """Renew the lease just before a post; false where another process took the delivery for dead."""
        with self._transaction(now):
            changed = self._db.execute(
                "UPDATE delivery SET state = 'sending', at = ?"
                " WHERE id = ? AND state IN ('pending', 'sending') AND at > ?",
                (now, delivery_id, now - LEASE_S),
            )
        return changed.rowcount == 1

    def settle(self, delivery_id: str, ending: Ending, now: float) -> None:
        """Record how a delivery ended; what was told stays told."""
        at = now if ending.at is None else min(ending.at, now)
        with self._transaction(now):
            self._db.execute(
                "UPDATE delivery SET state = ?, at = ?, channel_id = coalesce(?, channel_id), ts = coalesce(?, ts)"
                " WHERE id = ? AND state <> 'told'",
                (ending.state, at, ending.channel_id, ending.ts, delivery_id),
            )

    def channel_id(self, sink: str) -> str | None:
        """Return the channel's ID that Slack named when it last accepted a message for this sink."""
        row = self._db.execute(
            "SELECT channel_id FROM delivery WHERE sink = ? AND channel_id IS NOT NULL ORDER BY at DESC LIMIT 1",
            (sink,),
        ).fetchone()
        return None if row is None else str(row[0])

    def _state(self, key: str, sink: str, now: float) -> Literal["fresh", "told", "elsewhere"]:
        rows = self._db.execute(
            "SELECT delivery.state, delivery.at FROM delivery JOIN alert ON alert.delivery_id = delivery.id"
            " WHERE alert.key = ? AND delivery.sink = ? AND delivery.at > ?",
            (key, sink, now - self._window_s),
        ).fetchall()
        if any(state == "told" for state, _ in rows):
            return "told"
        # Attempted and not settled: it may have been accepted, so it is not told again within the window.
        held = any(state in ("sending", "unclear") or (state == "pending" and at > now - LEASE_S) for state, at in rows)
        return "elsewhere" if held else "fresh"

    def _insert(self, delivery_id: str, fresh: Mapping[str, Alert], sink: str, now: float) -> None:
        self._db.execute(
            "INSERT INTO delivery (id, sink, created_at, at, state) VALUES (?, ?, ?, ?, 'pending')",
            (delivery_id, sink, now, now),
        )
        self._db.executemany(
            "INSERT INTO alert (delivery_id, key, target, rule, check_name) VALUES (?, ?, ?, ?, ?)",
            [(delivery_id, key, alert.target, alert.rule, alert.check) for key, alert in fresh.items()],
        )

    @contextmanager
    def _transaction(self, now: float) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            # A clock that was set back: what lies in the future happened just now at the latest. Its window starts
            # anew, so nothing is told twice too soon, and nothing is held back for longer than one window.
            self._db.execute("UPDATE delivery SET at = ? WHERE at > ?", (now, now))
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


@contextmanager
def open_ledger(path: Path | None, *, window_s: float = WINDOW_S) -> Iterator[Ledger]:
    """Open (and create) the ledger; None is one in memory, that forgets. Raises LedgerError."""
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = sqlite3.connect(path or ":memory:", timeout=_BUSY_S, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        msg = f"the ledger {path} cannot be opened ({error}): make its folder writable"
        raise LedgerError(msg) from error
    with closing(connection):
        try:
            _prepare(connection)
            yield Ledger(connection, window_s=window_s)
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


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    if _version(connection) == 0:
        connection.execute("PRAGMA journal_mode = WAL")
        _create(connection)
    if _version(connection) != _VERSION:
        msg = f"schema {_version(connection)}, this harness knows {_VERSION}"
        raise sqlite3.DatabaseError(msg)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _version(connection) == 0:  # another process may have been faster
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
