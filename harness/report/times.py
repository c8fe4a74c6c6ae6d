"""Moments and spans of time, said as people say them."""

from __future__ import annotations

from datetime import datetime


def moment(text: str | None) -> str:
    """Say a moment of UTC to the minute."""
    return datetime.fromisoformat(text).strftime("%-d %B %Y, %H:%M UTC") if text else "not known"


def span(seconds: float) -> str:
    """Say how long something took, as people do."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:  # noqa: PLR2004 - below it a tenth matters
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
