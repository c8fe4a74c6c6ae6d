"""A condition: an alert over time, failing or well again, since when, how often seen, and whether it was told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.alerts.alert import Alert, Headline

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What the ledger knows of one key in one sink; moments are UTC epoch seconds.

    `times` counts the runs that saw it fail since `first_at`; `due` says that it is still to be told.
    """

    key: str
    alert: Alert
    headline: Headline
    state: Literal["failing", "well"]
    first_at: float
    last_at: float
    well_at: float | None
    times: int
    due: bool
    told_at: float | None
    told_by: str | None

    @classmethod
    def of(cls, row: sqlite3.Row) -> Condition:
        """Read a row of the ledger."""
        alert = Alert(
            target=row["target"],
            variant=row["variant"],
            rule=row["rule"],
            check=row["check_name"],
            must=row["must"],
            evidence=row["evidence"],
            severity=row["severity"],
            row=json.loads(row["record"]),
        )
        kept = row["headline"]
        return cls(
            key=row["key"],
            alert=alert,
            headline=Headline.from_json(kept) if kept else Headline(verdict="FAILED", target=alert.target, profile=""),
            state=row["state"],
            first_at=row["first_at"],
            last_at=row["last_at"],
            well_at=row["well_at"],
            times=row["times"],
            due=bool(row["due"]),
            told_at=row["told_at"],
            told_by=row["told_by"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one message tells of."""

    headline: Headline
    conditions: tuple[Condition, ...]


def batches(due: Sequence[Condition], *, storm_keys: int, now: float) -> list[Batch]:
    """Group what is due into messages: one a test run, one an alert of the monitor; a storm becomes one digest."""
    groups: dict[object, list[Condition]] = {}
    for condition in due:
        is_run = condition.headline.duration_s is not None
        groups.setdefault(condition.headline if is_run else condition.key, []).append(condition)
    if len(groups) > storm_keys:
        return [Batch(headline=_digest(due, now), conditions=tuple(due))]
    return [Batch(headline=found[0].headline, conditions=tuple(found)) for found in groups.values()]


def _digest(due: Sequence[Condition], now: float) -> Headline:
    targets = list(dict.fromkeys(condition.alert.target for condition in due))
    profiles = list(dict.fromkeys(condition.headline.profile for condition in due))
    return Headline(
        verdict="FAILED",
        target=targets[0] if len(targets) == 1 else f"{len(targets)} targets",
        profile=", ".join(profiles),
        at=now,
    )
