"""Delivers to one Slack channel: retries within a time-box, and looks in the channel before it sends again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.alerts import content
from harness.alerts.history import History, Unreadable
from harness.alerts.retry import Budget, backoff_s, retry_after_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.alerts.outbox import Parcel, Unsettled
    from harness.alerts.reply import Door, Reply
    from harness.system.waiting import Clock

    MaySend = Callable[[], bool]

_TOKEN_REMEDY = "set SLACK_BOT_TOKEN to a valid bot token (xoxb-...)"  # noqa: S105 - advice, no token
_REMEDIES = {
    "channel_not_found": "name another in OPS_NOTIFICATIONS_SLACK_CHANNEL, or invite the bot if it is private",
    "not_in_channel": "invite the bot to the channel, or give its app the scope chat:write.public",
    "is_archived": "unarchive the channel, or name another in OPS_NOTIFICATIONS_SLACK_CHANNEL",
    "missing_scope": "give the bot's app the scope chat:write and install it again",
    "invalid_webhook": "set SLACK_WEBHOOK_URL to the address that Slack gave (https://hooks.slack.com/services/...)",
    "no_service": "the webhook was removed: make another and set SLACK_WEBHOOK_URL",
    "channel_is_archived": "unarchive the webhook's channel, or make another webhook",
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type"),
        _TOKEN_REMEDY,
    ),
}
# The message is not there any more, or not ours to change: trying later does not help.
_GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "thread_not_found",
        "invalid_thread_ts",
        "cannot_reply_to_message",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How a delivery ended. told: accepted, or to be counted so (`detail` says it). unclear: look it up later.

    gone: what was to be changed or answered is not there any more.
    """

    state: Literal["told", "failed", "unclear", "gone"]
    detail: str
    channel_id: str | None = None
    ts: str | None = None


class Delivery:
    """The way into one channel; each parcel's id goes with it as metadata, and finds it again.

    Without a history, as with a webhook, what may have been accepted counts as told.
    """

    def __init__(
        self,
        door: Door,
        *,
        channel: str,
        history: History | None,
        budget: Budget,
        clock: Clock,
        slot: Callable[[], float],
    ) -> None:
        self._door = door
        self._channel = channel
        self._history = history
        self._budget = budget
        self._clock = clock
        self._slot = slot
        self._ends_at = clock.monotonic() + budget.total_s

    @property
    def channel_id(self) -> str | None:
        """The channel's ID, once it is known."""
        return self._history.channel_id if self._history else None

    def left_s(self) -> float:
        """Seconds left of the time-box, for one request."""
        return min(self._budget.request_s, self._ends_at - self._clock.monotonic())

    def post(self, parcel: Parcel, may_send: MaySend) -> Receipt:
        """Post a message until it is accepted, rejected or out of time; `may_send` is asked before each attempt."""
        message = content.message_of(parcel, now=self._clock.now(), is_posted=False)
        return self._posted({"channel": self._channel, **content.post(parcel, message)}, parcel, may_send)

    def reply(self, parcel: Parcel, may_send: MaySend) -> Receipt:
        """Post the line in a message's thread, likewise."""
        return self._posted({"channel": parcel.channel_id, **content.line(parcel)}, parcel, may_send)

    def update(self, parcel: Parcel) -> Receipt:
        """Bring a message up to date; that may be done twice, so an unclear end is a failed one."""
        message = content.message_of(parcel, now=self._clock.now(), is_posted=True)
        asked = {"channel": parcel.channel_id, "ts": parcel.thread, **content.post(parcel, message)}
        return self._until_accepted("chat.update", asked, lambda: True, self._updated)

    def look_up(self, earlier: Unsettled) -> str | None:
        """Return the `ts` of a parcel's message in the channel, None where there is none. Raises Unreadable."""
        since = earlier.created_at if earlier.created_at <= self._clock.now() else 0.0
        return self._find(earlier.id, since, earlier.thread)

    def _posted(self, asked: Mapping[str, Any], parcel: Parcel, may_send: MaySend) -> Receipt:
        since = self._clock.now()
        return self._until_accepted(
            "chat.postMessage", asked, may_send, lambda reply: self._judged(reply, parcel.id, since, parcel.thread)
        )

    def _until_accepted(
        self, method: str, asked: Mapping[str, Any], may_send: MaySend, judge: Callable[[Reply], Receipt]
    ) -> Receipt:
        last = Receipt(state="failed", detail="no time was left to send it")
        for attempt in range(self._budget.attempts):
            if not self._paced():
                break
            if not may_send():
                return Receipt(state="failed", detail="another run took it over")
            reply = self._door.call(method, asked, timeout_s=self.left_s())
            if reply.kind == "rejected" and "blocks" in asked and content.is_about_content(reply.error):
                asked = content.plainer(asked, reply.error)
                continue
            last = judge(reply)
            if last.state != "failed" or reply.kind == "rejected":
                break
            if attempt + 1 < self._budget.attempts and not self._paused(self._pause_s(reply, attempt)):
                return _out_of_time(last, reply)
        return last

    def _judged(self, reply: Reply, delivery_id: str, since: float, thread: str | None) -> Receipt:
        if reply.kind == "ok":
            return _accepted(reply)
        if reply.kind == "rejected":
            return self._rejected(reply)
        if reply.kind in ("throttled", "not sent"):
            return Receipt(state="failed", detail=f"Slack could not be reached: {reply.error}")
        return self._reconciled(reply, delivery_id, since, thread)

    def _updated(self, reply: Reply) -> Receipt:
        if reply.kind == "ok":
            return _accepted(reply)
        if reply.kind == "rejected":
            return self._rejected(reply)
        return Receipt(state="failed", detail=f"Slack could not be reached: {reply.error}")

    def _rejected(self, reply: Reply) -> Receipt:
        if reply.error in _GONE:
            return Receipt(state="gone", detail=reply.error)
        remedy = _REMEDIES.get(reply.error, "see docs.slack.dev, chat.postMessage, for this error")
        needed = f" (needed: {reply.body['needed']})" if "needed" in reply.body else ""
        detail = f"Slack refused the message to {self._channel}: {reply.error}{needed}; {remedy}"
        return Receipt(state="failed", detail=detail)

    def _reconciled(self, reply: Reply, delivery_id: str, since: float, thread: str | None) -> Receipt:
        # A late post may still be landing: a look too early would miss it, and the next attempt would tell it twice.
        if self._history and reply.kind == "unclear" and not self._paused(self._budget.settle_s):
            return _unread(reply, Unreadable("no time left", for_good=False))
        tries = self._budget.attempts if reply.kind == "unclear" else 1
        try:
            ts = self._looked_up(delivery_id, since, thread, tries=tries)
        except Unreadable as error:
            return _unread(reply, error)
        if ts is not None:
            found = f"found in the channel after {reply.error}"
            return Receipt(state="told", detail=found, channel_id=self.channel_id, ts=ts)
        return Receipt(state="failed", detail=f"Slack did not accept it: {reply.error}")

    def _looked_up(self, delivery_id: str, since: float, thread: str | None, *, tries: int) -> str | None:
        for attempt in range(1, tries):
            try:
                return self._find(delivery_id, since, thread)
            except Unreadable as error:
                if error.for_good or not self._paused(self._budget.backoff_s * 2.0**attempt):
                    raise
        return self._find(delivery_id, since, thread)

    def _find(self, delivery_id: str, since: float, thread: str | None) -> str | None:
        if self._history is None:
            reason = "a webhook shows no channel"
            raise Unreadable(reason, for_good=True)
        return self._history.find(delivery_id, since, left_s=self.left_s, thread=thread)

    def _pause_s(self, reply: Reply, attempt: int) -> float:
        asked_s = retry_after_s(reply.retry_after, self._clock.now())
        return backoff_s(attempt, self._budget) if asked_s is None else asked_s

    def _paced(self) -> bool:
        """Wait for this process's turn; false where it comes too late."""
        if self.left_s() <= 0:
            return False
        return not self._budget.pace_s or self._paused(self._slot() - self._clock.now())

    def _paused(self, pause_s: float) -> bool:
        if pause_s >= self._ends_at - self._clock.monotonic():
            return False
        self._clock.sleep(pause_s)
        return True


def _accepted(reply: Reply) -> Receipt:
    return Receipt(state="told", detail="accepted", channel_id=reply.body.get("channel"), ts=reply.body.get("ts"))


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
