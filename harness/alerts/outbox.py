"""The outbox: what is on its way to a sink, committed before each step, so that a crash loses and repeats nothing."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from harness.alerts.alert import Headline
from harness.alerts.condition import Batch, Condition, batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.alerts.database import Database

WINDOW_S = 24 * 3600.0
LEASE_S = 120.0  # far above the time that one delivery may take, so that only a dead process loses it
_PACE_MAX_S = 60.0
# A delivery that may have been accepted, or that a live process has in hand. A message may come again after a window,
# a recovery never.
_IN_HAND = (
    "(delivery.state IN ('sending', 'unclear') AND (delivery.at > :now - :window OR delivery.parent IS NOT NULL)"
    " OR delivery.state = 'pending' AND delivery.at > :now - :lease)"
)
_DUE = f"""
SELECT * FROM condition WHERE sink = :sink AND due AND coalesce(told_at <= :now - :window, 1)
    AND key NOT IN (SELECT key FROM silence WHERE until > :now)
    AND key NOT IN (SELECT telling.key FROM telling JOIN delivery ON delivery.id = telling.delivery_id
        WHERE delivery.sink = :sink AND delivery.parent IS NULL AND {_IN_HAND})
ORDER BY severity, first_at, key
"""  # noqa: S608 - made of our own words alone
_RECOVERED = f"""
SELECT message.id AS message, condition.* FROM delivery AS message
    JOIN telling ON telling.delivery_id = message.id AND telling.recovery IS NULL
    JOIN condition ON condition.key = telling.key AND condition.sink = message.sink
WHERE message.sink = :sink AND message.state = 'told' AND message.parent IS NULL AND message.ts IS NOT NULL
    AND condition.state = 'well' AND condition.told_by = message.id
    AND telling.key NOT IN (SELECT line.key FROM telling AS line JOIN delivery ON delivery.id = line.delivery_id
        WHERE delivery.parent = message.id AND {_IN_HAND})
ORDER BY message.at, condition.key
"""  # noqa: S608 - likewise
_OUTDATED = """
SELECT * FROM delivery WHERE sink = :sink AND state = 'told' AND parent IS NULL AND ts IS NOT NULL
    AND shown < version AND held_until <= :now
ORDER BY (SELECT count(*) FROM telling JOIN condition ON condition.key = telling.key AND condition.sink = delivery.sink
    WHERE telling.delivery_id = delivery.id AND condition.state = 'failing'), shown, at
LIMIT :most
"""
_UNSETTLED = """
SELECT delivery.*, message.ts AS thread FROM delivery LEFT JOIN delivery AS message ON message.id = delivery.parent
WHERE delivery.sink = :sink
    AND (delivery.state = 'unclear' OR delivery.state = 'sending' AND delivery.at <= :now - :lease)
ORDER BY delivery.at DESC
"""

# Of two messages about a key, the older points to the newer one; one that was long in doubt may be the older. What is
# found to have been told longer ago than a window, and still fails, is due again.
_TELL = (
    """UPDATE delivery SET version = version + 1 WHERE id IN (SELECT CASE WHEN told_at > :at THEN :id ELSE told_by END
        FROM condition WHERE sink = :sink AND key IN (SELECT key FROM telling WHERE delivery_id = :id))""",
    """UPDATE condition SET due = (state = 'failing' AND :at <= :now - :window), told_at = :at, told_by = :id
        WHERE sink = :sink AND key IN (SELECT key FROM telling WHERE delivery_id = :id)
        AND coalesce(told_at <= :at, 1)""",
)
_TELL_RECOVERY = (
    """UPDATE telling SET recovery = :id
        WHERE delivery_id = :parent AND key IN (SELECT key FROM telling WHERE delivery_id = :id)""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a delivery ended: accepted at `at` (UTC epoch seconds, default now), given up, or nobody knows."""

    state: Literal["told", "failed", "unclear"]
    at: float | None = None
    channel_id: str | None = None
    ts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """A delivery that was attempted, and of which nobody knows whether it was accepted; times in UTC epoch seconds.

    `thread` is the `ts` of the message under which it was a line.
    """

    id: str
    created_at: float
    at: float
    thread: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message to post, or to bring up to date, or, with a `thread`, a line under one: of what it tells."""

    id: str
    headline: Headline
    conditions: tuple[Condition, ...]
    notes: tuple[str, ...] = ()
    version: int = 0
    channel_id: str | None = None
    thread: str | None = None


def _no_notes(_: Headline) -> tuple[str, ...]:
    return ()


class Outbox:
    """Parcels; every change is one transaction, so two processes never take the same one."""

    def __init__(self, database: Database, *, window_s: float) -> None:
        self._db = database
        self._window_s = window_s

    def claim(
        self, sink: str, now: float, *, storm_keys: int = 10, notes: Callable[[Headline], tuple[str, ...]] = _no_notes
    ) -> tuple[Parcel, ...]:
        """Commit as pending what is due and no other process has in hand, grouped into messages."""
        with self._db.transaction(now):
            due = [Condition.of(row) for row in self._db.rows(_DUE, self._moment(sink, now))]
            return tuple(
                self._insert(sink, batch, now, notes=notes(batch.headline))
                for batch in batches(due, storm_keys=storm_keys, now=now)
            )

    def claim_recoveries(self, sink: str, now: float) -> tuple[Parcel, ...]:
        """Commit as pending one line a message whose alerts are well again, and that did not say so yet."""
        with self._db.transaction(now):
            by_message: dict[str, list[Condition]] = {}
            for row in self._db.rows(_RECOVERED, self._moment(sink, now)):
                by_message.setdefault(row["message"], []).append(Condition.of(row))
            return tuple(self._line(sink, message, tuple(found), now) for message, found in by_message.items())

    def attempt(self, delivery_id: str, now: float) -> bool:
        """Renew the lease just before a post; false where another process took the delivery for dead."""
        with self._db.transaction(now):
            changed = self._db.run(
                "UPDATE delivery SET state = 'sending', at = ?"
                " WHERE id = ? AND state IN ('pending', 'sending') AND at > ?",
                (now, delivery_id, now - LEASE_S),
            )
        return changed == 1

    def settle(self, delivery_id: str, ending: Ending, now: float) -> None:
        """Record how a delivery ended; what was told stays told."""
        at = now if ending.at is None else min(ending.at, now)
        with self._db.transaction(now):
            changed = self._db.run(
                "UPDATE delivery SET state = ?, at = ?, channel_id = coalesce(?, channel_id), ts = coalesce(?, ts)"
                " WHERE id = ? AND state <> 'told'",
                (ending.state, at, ending.channel_id, ending.ts, delivery_id),
            )
            if changed and ending.state == "told":
                self._tell(delivery_id, at, now)

    def unsettled(self, sink: str, now: float) -> tuple[Unsettled, ...]:
        """Return this sink's deliveries that may or may not have been accepted, newest first."""
        rows = self._db.rows(_UNSETTLED, self._moment(sink, now))
        return tuple(
            Unsettled(id=row["id"], created_at=row["created_at"], at=row["at"], thread=row["thread"]) for row in rows
        )

    def outdated(self, sink: str, now: float, *, most: int) -> tuple[Parcel, ...]:
        """Return the messages that no longer say how things stand: first those of which all is well again."""
        rows = self._db.rows(_OUTDATED, {"sink": sink, "now": now, "most": most})
        return tuple(
            Parcel(
                id=row["id"],
                headline=Headline.from_json(row["headline"]),
                conditions=self._told_by(row["id"], sink),
                notes=tuple(json.loads(row["notes"])),
                version=row["version"],
                channel_id=row["channel_id"],
                thread=row["ts"],
            )
            for row in rows
        )

    def hold(self, delivery_id: str, now: float) -> bool:
        """Take a message in hand to bring it up to date; false where another process has it."""
        with self._db.transaction(now):
            held = self._db.run(
                "UPDATE delivery SET held_until = ? WHERE id = ? AND held_until <= ?", (now + LEASE_S, delivery_id, now)
            )
        return held == 1

    def shown(self, parcel: Parcel, now: float, *, is_final: bool = False) -> None:
        """Record that a message says how things stood when the parcel was made; `is_final`: it can never be changed."""
        with self._db.transaction(now):
            self._db.run(
                "UPDATE delivery SET held_until = 0, shown = max(shown, ?), ts = CASE WHEN ? THEN NULL ELSE ts END"
                " WHERE id = ?",
                (parcel.version, is_final, parcel.id),
            )

    def let_go(self, delivery_id: str, now: float) -> None:
        """Leave a message as it is, for another time."""
        with self._db.transaction(now):
            self._db.run("UPDATE delivery SET held_until = 0 WHERE id = ?", (delivery_id,))

    def slot(self, sink: str, now: float, *, pace_s: float) -> float:
        """Return when the next request may go to a sink: those of all processes are `pace_s` apart."""
        with self._db.transaction(now):
            rows = self._db.rows("SELECT next_at FROM pace WHERE sink = ?", (sink,))
            next_at = rows[0]["next_at"] if rows else now
            at = max(now, next_at) if next_at <= now + _PACE_MAX_S else now  # further off: the clock was set back
            self._db.run(
                "INSERT INTO pace (sink, next_at) VALUES (?, ?)"
                " ON CONFLICT (sink) DO UPDATE SET next_at = excluded.next_at",
                (sink, at + pace_s),
            )
        return float(at)

    def channel_id(self, sink: str) -> str | None:
        """Return the channel's ID that Slack named when it last accepted a message for this sink."""
        rows = self._db.rows(
            "SELECT channel_id FROM delivery WHERE sink = ? AND channel_id IS NOT NULL ORDER BY at DESC LIMIT 1",
            (sink,),
        )
        return str(rows[0]["channel_id"]) if rows else None

    def _moment(self, sink: str, now: float) -> dict[str, object]:
        return {"sink": sink, "now": now, "window": self._window_s, "lease": LEASE_S}

    def _insert(
        self, sink: str, batch: Batch, now: float, *, notes: tuple[str, ...] = (), parent: str | None = None
    ) -> Parcel:
        delivery_id = uuid.uuid4().hex
        self._db.run(
            "INSERT INTO delivery (id, sink, parent, headline, notes, created_at, at, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'pending')",
            (delivery_id, sink, parent, batch.headline.as_json(), json.dumps(notes), now, now),
        )
        for condition in batch.conditions:
            # What was well again before anybody heard of it needs no line that says so: its message does.
            recovery = delivery_id if condition.state == "well" else None
            values = (delivery_id, condition.key, recovery)
            self._db.run("INSERT INTO telling (delivery_id, key, recovery) VALUES (?, ?, ?)", values)
        return Parcel(id=delivery_id, headline=batch.headline, conditions=batch.conditions, notes=notes)

    def _line(self, sink: str, message: str, recovered: tuple[Condition, ...], now: float) -> Parcel:
        (row,) = self._db.rows("SELECT * FROM delivery WHERE id = ?", (message,))
        batch = Batch(headline=Headline.from_json(row["headline"]), conditions=recovered)
        line = self._insert(sink, batch, now, parent=message)
        return replace(line, channel_id=row["channel_id"], thread=row["ts"])

    def _tell(self, delivery_id: str, at: float, now: float) -> None:
        (row,) = self._db.rows("SELECT sink, parent FROM delivery WHERE id = ?", (delivery_id,))
        values = {"id": delivery_id, "parent": row["parent"], "at": at} | self._moment(row["sink"], now)
        for statement in _TELL if row["parent"] is None else _TELL_RECOVERY:
            self._db.run(statement, values)

    def _told_by(self, delivery_id: str, sink: str) -> tuple[Condition, ...]:
        rows: Iterable[object] = self._db.rows(
            "SELECT condition.* FROM telling JOIN condition ON condition.key = telling.key"
            " WHERE telling.delivery_id = ? AND condition.sink = ? ORDER BY severity, first_at, condition.key",
            (delivery_id, sink),
        )
        return tuple(Condition.of(row) for row in rows)  # type: ignore[arg-type]  # rows, by sqlite3's own word
