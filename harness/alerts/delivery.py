"""Delivers one message once: retries within a time-box, and looks in the channel before it sends again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harness.alerts.history import History, Unreadable
from harness.alerts.message import blocks, fallback_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.alerts.message import Message
    from harness.alerts.slack import Reply

_EVENT = "inference_harness_run"
_CONTENT = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "no_text"})
_METADATA = "metadata"  # the errors about metadata all carry the word
_TOKEN_REMEDY = "set SLACK_BOT_TOKEN to a valid bot token (xoxb-...)"  # noqa: S105 - advice, no token
_REMEDIES = {
    "channel_not_found": "name another in OPS_NOTIFICATIONS_SLACK_CHANNEL, or invite the bot if it is private",
    "not_in_channel": "invite the bot to the channel, or give its app the scope chat:write.public",
    "is_archived": "unarchive the channel, or name another in OPS_NOTIFICATIONS_SLACK_CHANNEL",
    "missing_scope": "give the bot's app the scope chat:write and install it again",
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type"),
        _TOKEN_REMEDY,
    ),
}


class Door(Protocol):
    """Something that calls Slack's Web API."""

    def call(self, method: str, arguments: Mapping[str, Any], *, timeout_s: float) -> Reply:
        """Call one method and say how it ended, without raising."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a delivery may cost: seconds in all and for each request, and attempts; `settle_s` lets a late post land."""

    total_s: float = 20.0
    request_s: float = 10.0
    settle_s: float = 1.0
    backoff_s: float = 0.5
    attempts: int = 5  # with the pauses between them 8 s at most, unless Slack asks for more


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How a delivery ended. told: accepted, or to be counted so (`detail` says it). unclear: look it up later."""

    state: Literal["told", "failed", "unclear"]
    detail: str
    channel_id: str | None = None
    ts: str | None = None


class Delivery:
    """One message on its way into one channel; `id` goes with it as metadata, and finds it again."""

    def __init__(self, door: Door, *, channel: str, history: History, budget: Budget) -> None:
        self._door = door
        self._channel = channel
        self._history = history
        self._budget = budget
        self._ends_at = time.monotonic() + budget.total_s

    def left_s(self) -> float:
        """Seconds left of the time-box, for one request."""
        return min(self._budget.request_s, self._ends_at - time.monotonic())

    def post(self, message: Message, delivery_id: str, may_send: Callable[[], bool], since: float) -> Receipt:
        """Post until accepted, rejected or out of time; `may_send` is asked before each post."""
        content = _content(message, delivery_id)
        last = Receipt(state="failed", detail="no time was left to send it")
        for attempt in range(self._budget.attempts):
            if self.left_s() <= 0:
                break
            if not may_send():
                return Receipt(state="failed", detail="another run took it over")
            reply = self._send(content)
            if reply.kind == "rejected" and "blocks" in content and _is_about_content(reply.error):
                content = _degraded(content, reply.error)
                continue
            last = self._judged(reply, delivery_id, since)
            if last.state != "failed" or reply.kind == "rejected":
                break
            if attempt + 1 < self._budget.attempts and not self._paused(_pause_s(reply, attempt, self._budget)):
                return _out_of_time(last, reply)
        return last

    def look_up(self, delivery_id: str, since: float) -> str | None:
        """Return the `ts` of this delivery's message in the channel, None where there is none. Raises Unreadable."""
        return self._history.find(delivery_id, since, left_s=self.left_s)

    def _send(self, content: Mapping[str, Any]) -> Reply:
        return self._door.call("chat.postMessage", {"channel": self._channel, **content}, timeout_s=self.left_s())

    def _judged(self, reply: Reply, delivery_id: str, since: float) -> Receipt:
        if reply.kind == "ok":
            return Receipt(
                state="told", detail="accepted", channel_id=reply.body.get("channel"), ts=reply.body.get("ts")
            )
        if reply.kind == "rejected":
            return Receipt(state="failed", detail=_rejection(reply, self._channel))
        if reply.kind in ("throttled", "not sent"):
            return Receipt(state="failed", detail=f"Slack could not be reached: {reply.error}")
        return self._reconciled(reply, delivery_id, since)

    def _reconciled(self, reply: Reply, delivery_id: str, since: float) -> Receipt:
        # A late post may still be landing: a look too early would miss it, and the next attempt would tell it twice.
        if reply.kind == "unclear" and not self._paused(self._budget.settle_s):
            return _unread(reply, Unreadable("no time left", for_good=False))
        try:
            ts = self._looked_up(delivery_id, since, tries=self._budget.attempts if reply.kind == "unclear" else 1)
        except Unreadable as error:
            return _unread(reply, error)
        if ts is not None:
            return Receipt(state="told", detail=f"found in the channel after {reply.error}", ts=ts)
        return Receipt(state="failed", detail=f"Slack did not accept it: {reply.error}")

    def _looked_up(self, delivery_id: str, since: float, *, tries: int) -> str | None:
        for attempt in range(1, tries):
            try:
                return self.look_up(delivery_id, since)
            except Unreadable as error:
                if error.for_good or not self._paused(self._budget.backoff_s * 2.0**attempt):
                    raise
        return self.look_up(delivery_id, since)

    def _paused(self, pause_s: float) -> bool:
        if pause_s >= self._ends_at - time.monotonic():
            return False
        time.sleep(pause_s)
        return True


def _unread(reply: Reply, error: Unreadable) -> Receipt:
    if reply.kind == "down":  # an error status was answered: most likely it was not accepted
        return Receipt(state="failed", detail=f"Slack did not accept it: {reply.error}")
    if error.for_good:
        detail = f"{reply.error}, and the channel's history cannot be read ({error}): counted as sent"
        return Receipt(state="told", detail=detail)
    detail = f"{reply.error}, and the history cannot be read now ({error}): it is looked up before the next message"
    return Receipt(state="unclear", detail=detail)


def _out_of_time(last: Receipt, reply: Reply) -> Receipt:
    asked = f", Slack asks to wait {reply.retry_after}" if reply.retry_after else ""
    return Receipt(state=last.state, detail=f"{last.detail}{asked}; the time for alerts is used up")


def _content(message: Message, delivery_id: str) -> dict[str, Any]:
    return {
        "text": fallback_text(message),
        "blocks": blocks(message),
        "metadata": {"event_type": _EVENT, "event_payload": {"delivery": delivery_id}},
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _is_about_content(error: str) -> bool:
    return error in _CONTENT or _METADATA in error


def _degraded(content: Mapping[str, Any], error: str) -> dict[str, Any]:
    dropped = {"blocks", "metadata"} if _METADATA in error else {"blocks"}
    return {**{name: value for name, value in content.items() if name not in dropped}, "mrkdwn": False}


def _rejection(reply: Reply, channel: str) -> str:
    remedy = _REMEDIES.get(reply.error, "see docs.slack.dev, chat.postMessage, for this error")
    needed = f" (needed: {reply.body['needed']})" if "needed" in reply.body else ""
    return f"Slack refused the message to {channel}: {reply.error}{needed}; {remedy}"


def _pause_s(reply: Reply, attempt: int, budget: Budget) -> float:
    asked_s = retry_after_s(reply.retry_after, time.time())
    if asked_s is not None:
        return asked_s
    # Full jitter: several runs that were refused together do not come back together.
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
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - datetime.fromtimestamp(
        now, UTC
    ).timestamp()
