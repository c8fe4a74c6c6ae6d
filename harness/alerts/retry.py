"""When to try again: what Slack asks for, or a pause that grows."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What deliveries may cost: seconds in all and for each request, and attempts; `settle_s` lets a late post land.

    `pace_s` lies between two requests to one channel: Slack allows one a second.
    """

    total_s: float = 20.0
    request_s: float = 10.0
    settle_s: float = 1.0
    backoff_s: float = 0.5
    attempts: int = 5  # with the pauses between them 8 s at most, unless Slack asks for more
    pace_s: float = 1.0
    updates: int = 8  # messages brought up to date in one run


def backoff_s(attempt: int, budget: Budget) -> float:
    """Return the pause after an attempt, jittered: several runs that were refused together do not return together."""
    return random.uniform(0.5, 1.0) * budget.backoff_s * 2.0**attempt  # noqa: S311 - no secret


def retry_after_s(header: str | None, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for: a whole or fractional number, or an HTTP date."""
    if header is None:
        return None
    try:
        asked_s = float(header)
    except ValueError:
        asked_s = _seconds_until(header, now)
    return max(0.0, asked_s) if asked_s == asked_s else None  # noqa: PLR0124 - not a number


def _seconds_until(date: str, now: float) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return float("nan")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
