"""What a parcel looks like in Slack: the content of a message, and the line under it that tells of a recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.alerts.entry import entry, lasted
from harness.alerts.message import Message, blocks, compose, escaped, fallback_text, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.alerts.condition import Condition
    from harness.alerts.outbox import Parcel

_EVENT = "inference_harness_alert"
_CONTENT = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "no_text"})
_METADATA = "metadata"  # the errors about metadata all carry the word
_LINES_MAX = 10
_LINE_MAX = 260


def message_of(parcel: Parcel, *, now: float, is_posted: bool) -> Message:
    """Compose the message of a parcel as things stand; `is_posted` where it is out and is brought up to date."""
    entries = [entry(condition, message=parcel.id if is_posted else None, now=now) for condition in parcel.conditions]
    return compose(parcel.headline, entries, parcel.notes)


def post(parcel: Parcel, message: Message) -> dict[str, Any]:
    """Return what Slack is sent for a message."""
    return {"text": fallback_text(message), "blocks": blocks(message), **_common(parcel)}


def line(parcel: Parcel) -> dict[str, Any]:
    """Return what Slack is sent for the line in a message's thread."""
    return {"text": escaped(well_again(parcel.conditions)), "thread_ts": parcel.thread, **_common(parcel)}


def well_again(conditions: Sequence[Condition]) -> str:
    """Say what is well again, and how long it was not."""
    lines = [
        one_line(
            f"Well again: {condition.alert.check} ({condition.alert.rule}), failed for {lasted(condition)}, "
            f"seen {condition.times} {'time' if condition.times == 1 else 'times'}"
        )[:_LINE_MAX]
        for condition in conditions[:_LINES_MAX]
    ]
    hidden = len(conditions) - _LINES_MAX
    return "\n".join([*lines, *([f"and {hidden} more"] if hidden > 0 else [])])


def is_about_content(error: str) -> bool:
    """Whether Slack refused what a message holds, and might take a plainer one."""
    return error in _CONTENT or _METADATA in error


def plainer(content: Mapping[str, Any], error: str) -> dict[str, Any]:
    """Return the content without what Slack refused."""
    dropped = {"blocks", "metadata"} if _METADATA in error else {"blocks"}
    return {**{name: value for name, value in content.items() if name not in dropped}, "mrkdwn": False}


def _common(parcel: Parcel) -> dict[str, Any]:
    return {
        "metadata": {"event_type": _EVENT, "event_payload": {"delivery": parcel.id}},
        "unfurl_links": False,
        "unfurl_media": False,
    }
