"""An entry of a message: one alert, and how it stands by now, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.alerts.alert import Alert
    from harness.alerts.condition import Condition

_DELAY_S = 600.0  # what is told later than this says so
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One alert in a message; `status` is empty for one that was just found."""

    alert: Alert
    status: str = ""
    is_well: bool = False


def entry(condition: Condition, *, message: str | None, now: float) -> Entry:
    """Say how a condition stands, in the message that has this delivery id, or in one that is being written (None)."""
    if message is not None and condition.told_by != message:
        return Entry(alert=condition.alert, status="told anew since, in a later message")
    return Entry(alert=condition.alert, status=_status(condition, now), is_well=condition.state == "well")


def lasted(condition: Condition) -> str:
    """Say how long a condition failed, that is well again."""
    return duration((condition.well_at or condition.last_at) - condition.first_at)


def moment(at: float) -> str:
    """Write a moment (UTC epoch seconds) so that people in any place read the same."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(seconds: float) -> str:
    """Write a duration in its two largest units."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for unit_s, name in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min"), (1, "s")):
        count, left = divmod(left, unit_s)
        if count or (unit_s == 1 and not parts):
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])


def counts(entries: Sequence[Entry]) -> tuple[int, int]:
    """Return how many entries fail, and how many are well again."""
    well = sum(one.is_well for one in entries)
    return len(entries) - well, well


def _status(condition: Condition, now: float) -> str:
    since = moment(condition.first_at)
    if condition.state == "well":
        return f"well again since {moment(condition.well_at or condition.last_at)}, failed for {lasted(condition)}"
    if condition.times > 1:
        return f"still failing, {condition.times} times since {since}"
    if now - condition.first_at > _DELAY_S:
        return f"failing since {since}, told {duration(now - condition.first_at)} late"
    return ""
