"""The ledger of what is wrong: since when, how often seen, told or not, and silenced until when."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.alerts.condition import Condition
from harness.alerts.database import Database, LedgerError, default_ledger_path, open_database, set_aside
from harness.alerts.outbox import WINDOW_S, Outbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.alerts.alert import Alert, Checked, Headline, Observation

__all__ = ["Ledger", "LedgerError", "NoSuchKey", "Sighting", "default_ledger_path", "open_ledger", "set_aside"]

_EVIDENCE_MAX = 2_000
_KEPT_S = 30 * 24 * 3600.0
_FAILED_KEPT_S = 3600.0  # as long as a process that was taken for dead may still come back to it
# A key that is seen again goes on; what was well again begins anew, unless it was never told.
_SEE = """
INSERT INTO condition (key, sink, target, variant, rule, check_name, severity, must, evidence, record, headline,
    state, first_at, last_at, times, due)
VALUES (:key, :sink, :target, :variant, :rule, :check, :severity, :must, :evidence, :record, :headline,
    'failing', :now, :now, 1, 1)
ON CONFLICT (key, sink) DO UPDATE SET
    target = excluded.target, variant = excluded.variant, rule = excluded.rule, check_name = excluded.check_name,
    severity = excluded.severity, must = excluded.must, evidence = excluded.evidence, record = excluded.record,
    headline = excluded.headline,
    first_at = CASE WHEN state = 'well' AND NOT due THEN excluded.first_at ELSE first_at END,
    times = CASE WHEN state = 'well' AND NOT due THEN 1 ELSE times + 1 END,
    state = 'failing', last_at = excluded.last_at, well_at = NULL,
    due = due OR told_at IS NULL OR told_at <= :now - :window
"""
# The message that tells of a key is out of date; so is one on its way, which may have been written already.
_OUTDATE = """
UPDATE delivery SET version = version + 1 WHERE sink = :sink AND parent IS NULL AND (
    id = (SELECT told_by FROM condition WHERE key = :key AND sink = :sink)
    OR state IN ('pending', 'sending', 'unclear') AND id IN (SELECT delivery_id FROM telling WHERE key = :key))
"""


class NoSuchKey(LookupError):  # noqa: N818 - named by what is the case
    """No condition, or more than one, has a key that begins so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """How what a run saw relates to what is known: keys to be told, silenced ones, told ones, recovered alerts."""

    due: frozenset[str]
    silenced: frozenset[str]
    known: frozenset[str]
    recovered: tuple[Alert, ...]


class Ledger:
    """Conditions and silences; what is to be told of them lies in `outbox`."""

    def __init__(self, database: Database, *, window_s: float = WINDOW_S) -> None:
        self._db = database
        self._window_s = window_s
        self.outbox = Outbox(database, window_s=window_s)

    def observe(self, observation: Observation, headline: Headline, sink: str, now: float) -> Sighting:
        """Commit what a run saw: what is wrong is due unless told within the window; what is well again is closed."""
        by_key: dict[str, Alert] = {}
        for alert in observation.alerts:
            by_key.setdefault(alert.dedup_key, alert)
        with self._db.transaction(now):
            self._forget(now)
            for key, alert in by_key.items():
                self._see(key, alert, headline, sink, now)
            recovered = self._recover(observation.covered, by_key, sink, now)
            due = self._keys("SELECT key FROM condition WHERE sink = ? AND due", sink) & by_key.keys()
            silenced = self._keys("SELECT key FROM silence WHERE until > ?", now) & due
        return Sighting(
            due=due - silenced, silenced=silenced, known=frozenset(by_key.keys() - due), recovered=recovered
        )

    def conditions(self, now: float) -> tuple[tuple[str, Condition, float | None], ...]:
        """Return all conditions with their sink, and until when each is silenced; those that fail come first."""
        rows = self._db.rows(
            "SELECT condition.*, silence.until AS until FROM condition"
            " LEFT JOIN silence ON silence.key = condition.key AND silence.until > ?"
            " ORDER BY state, last_at DESC, condition.key",
            (now,),
        )
        return tuple((row["sink"], Condition.of(row), row["until"]) for row in rows)

    def silence(self, prefix: str, until: float, now: float) -> str:
        """Tell nothing of a key until a moment; return the whole key. Raises NoSuchKey."""
        with self._db.transaction(now):
            keys = sorted(self._keys("SELECT key FROM condition WHERE substr(key, 1, ?) = ?", len(prefix), prefix))
            if len(keys) != 1 or not prefix:
                found = f"{len(keys)} conditions have" if keys and prefix else "no condition has"
                msg = f"{found} a key that begins with {prefix!r}: `harness alerts list` shows them"
                raise NoSuchKey(msg)
            self._db.run(
                "INSERT INTO silence (key, until) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET until = excluded.until",
                (keys[0], until),
            )
        return keys[0]

    def _see(self, key: str, alert: Alert, headline: Headline, sink: str, now: float) -> None:
        seen = {
            "key": key,
            "sink": sink,
            "target": alert.target,
            "variant": alert.variant,
            "rule": alert.rule,
            "check": alert.check,
            "severity": alert.severity,
            "must": alert.must,
            "evidence": alert.evidence[:_EVIDENCE_MAX],
            "record": json.dumps(dict(alert.row)),
            "headline": headline.as_json(),
            "now": now,
            "window": self._window_s,
        }
        self._db.run(_SEE, seen)
        self._db.run(_OUTDATE, {"key": key, "sink": sink})

    def _recover(
        self, covered: Sequence[Checked], failing: Mapping[str, Alert], sink: str, now: float
    ) -> tuple[Alert, ...]:
        if not covered:
            return ()
        checked = {(check.target, check.variant, check.check) for check in covered}
        rows = self._db.rows("SELECT * FROM condition WHERE sink = ? AND state = 'failing'", (sink,))
        recovered = [
            Condition.of(row)
            for row in rows
            if row["key"] not in failing and (row["target"], row["variant"], row["check_name"]) in checked
        ]
        for condition in recovered:
            # What was silenced to the end was never told, so its end is no news.
            self._db.run(
                "UPDATE condition SET state = 'well', well_at = :now,"
                " due = due AND key NOT IN (SELECT key FROM silence WHERE until > :now)"
                " WHERE key = :key AND sink = :sink",
                {"now": now, "key": condition.key, "sink": sink},
            )
            self._db.run(_OUTDATE, {"key": condition.key, "sink": sink})
        return tuple(condition.alert for condition in recovered)

    def _keys(self, statement: str, *values: object) -> frozenset[str]:
        return frozenset(row["key"] for row in self._db.rows(statement, values))

    def _forget(self, now: float) -> None:
        before = now - max(_KEPT_S, 2 * self._window_s)
        self._db.run("DELETE FROM delivery WHERE at < ? OR state = 'failed' AND at < ?", (before, now - _FAILED_KEPT_S))
        self._db.run(
            "DELETE FROM condition WHERE last_at < :before AND coalesce(well_at, 0) < :before"
            " AND coalesce(told_at, 0) < :before",
            {"before": before},
        )
        self._db.run("DELETE FROM silence WHERE until < ?", (now,))


@contextmanager
def open_ledger(path: Path | None, *, window_s: float = WINDOW_S) -> Iterator[Ledger]:
    """Open (and create) the ledger; None is one in memory, that forgets. Raises LedgerError."""
    with open_database(path) as database:
        yield Ledger(database, window_s=window_s)
