"""The workspace behind the Slack-like server: channels, messages and threads, and what Slack answers about them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.alerts.slack_rules import content_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

POST = "chat.postMessage"
UPDATE = "chat.update"
SCOPES = frozenset({"chat:write", "channels:read", "groups:read", "channels:history"})
_CHANGEABLE = ("text", "blocks", "metadata")

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel as conversations.list shows it; `webhook` is the secret path of its incoming webhook."""

    id: str
    name: str
    member: bool = True
    archived: bool = False
    private: bool = False
    webhook: str = ""


@dataclass(slots=True, kw_only=True)
class Workspace:
    """Channels and what was posted to them; `posts` holds messages and the lines of their threads, oldest first."""

    channels: tuple[Channel, ...]
    scopes: frozenset[str]
    now: Callable[[], float]
    page: int
    rate: Rate
    posts: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, asked: Mapping[str, Any]) -> Answer:
        """Answer one call of the Web API."""
        answers: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
            POST: self._post,
            UPDATE: self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.list": self._list,
        }
        with self.lock:
            return answers[method](asked) if method in answers else _refused("unknown_method")

    def answer_webhook(self, path: str, asked: Mapping[str, Any]) -> tuple[int, str]:
        """Answer a post to an incoming webhook: a status, and a word of plain text."""
        channel = next((channel for channel in self.channels if channel.webhook and channel.webhook == path), None)
        if channel is None:
            return 404, "no_service"
        if channel.archived:
            return 410, "channel_is_archived"
        error = content_error(asked)
        if error:
            return 400, error
        with self.lock:
            if not self.rate.admits(channel.id):
                return 429, "rate_limited"
            self._accept(channel, asked)
        return 200, "ok"

    def _post(self, asked: Mapping[str, Any]) -> Answer:
        channel = self._named(asked)
        error = self._missing("chat:write") or _closed(channel) or content_error(asked)
        if error or channel is None:
            return _refused(error, **({"needed": "chat:write"} if error == "missing_scope" else {}))
        thread = asked.get("thread_ts")
        if thread is not None and self._message(channel, thread) is None:
            return _refused("thread_not_found")
        if not self.rate.admits(channel.id):
            return _refused("ratelimited")
        ts = self._accept(channel, asked)
        return {"ok": True, "channel": channel.id, "ts": ts, "message": {"text": asked.get("text"), "ts": ts}}

    def _update(self, asked: Mapping[str, Any]) -> Answer:
        channel = self._by_id(asked)
        error = self._missing("chat:write") or _closed(channel)
        if error or channel is None:
            return _refused(error)
        message = self._message(channel, asked.get("ts"))
        if message is None:
            return _refused("message_not_found")
        error = content_error(asked)
        if error:
            return _refused(error)
        # What is not named stays, as with Slack.
        message.update({name: asked[name] for name in _CHANGEABLE if name in asked} | {"edited": True})
        return {"ok": True, "channel": channel.id, "ts": message["ts"], "text": asked.get("text")}

    def _history(self, asked: Mapping[str, Any]) -> Answer:
        return self._read(asked, lambda post: "thread_ts" not in post, is_newest_first=True)

    def _replies(self, asked: Mapping[str, Any]) -> Answer:
        channel, thread = self._by_id(asked), asked.get("ts")
        if channel is not None and self._message(channel, thread) is None:
            return self._unreadable(channel) or _refused("thread_not_found")
        return self._read(asked, lambda post: thread in (post["ts"], post.get("thread_ts")), is_newest_first=False)

    def _read(
        self, asked: Mapping[str, Any], is_wanted: Callable[[Mapping[str, Any]], bool], *, is_newest_first: bool
    ) -> Answer:
        channel = self._by_id(asked)
        unreadable = self._unreadable(channel)
        if unreadable or channel is None:
            return unreadable or _refused("channel_not_found")
        oldest = float(asked.get("oldest", 0))
        kept = [
            post
            for post in (reversed(self.posts) if is_newest_first else self.posts)
            if post["channel"] == channel.id and float(post["ts"]) > oldest and is_wanted(post)
        ]
        shown = kept if asked.get("include_all_metadata") == "1" else [_bare(post) for post in kept]
        return _paged("messages", shown, asked, self.page)

    def _list(self, asked: Mapping[str, Any]) -> Answer:
        types = str(asked.get("types", "public_channel")).split(",")
        needed = ["channels:read", *(["groups:read"] if "private_channel" in types else [])]
        error = next((error for scope in needed if (error := self._missing(scope))), None)
        if error:
            return _refused(error)
        kept = [channel for channel in self.channels if not channel.private or "private_channel" in types]
        return _paged("channels", [{"id": channel.id, "name": channel.name} for channel in kept], asked, self.page)

    def _accept(self, channel: Channel, asked: Mapping[str, Any]) -> str:
        ts = f"{self.now():.0f}.{len(self.posts) + 1:06d}"
        self.posts.append({**asked, "channel": channel.id, "ts": ts})
        return ts

    def _named(self, asked: Mapping[str, Any]) -> Channel | None:
        name = str(asked.get("channel", "")).removeprefix("#")
        return next((channel for channel in self.channels if name in (channel.name, channel.id)), None)

    def _by_id(self, asked: Mapping[str, Any]) -> Channel | None:
        # Unlike a post, all else wants the channel's ID, and never its name.
        return next((channel for channel in self.channels if asked.get("channel") == channel.id), None)

    def _message(self, channel: Channel, ts: object) -> dict[str, Any] | None:
        return next((post for post in self.posts if post["channel"] == channel.id and post["ts"] == ts), None)

    def _unreadable(self, channel: Channel | None) -> Answer | None:
        error = self._missing("channels:history") or _closed(channel)
        return _refused(error) if error else None

    def _missing(self, scope: str) -> str | None:
        return None if scope in self.scopes else "missing_scope"


class Rate:
    """Slack's limit of messages to one channel: `per_s` on average, with bursts of `burst`; None is no limit."""

    def __init__(self, per_s: float | None, *, burst: int = 3) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left: dict[str, tuple[float, float]] = {}

    def admits(self, channel_id: str) -> bool:
        """Whether one more message is accepted now."""
        if self._per_s is None:
            return True
        now_s = time.monotonic()
        left, at_s = self._left.get(channel_id, (float(self._burst), now_s))
        left = min(float(self._burst), left + (now_s - at_s) * self._per_s)
        self._left[channel_id] = (left - 1 if left >= 1 else left, now_s)
        return left >= 1


def _closed(channel: Channel | None) -> str | None:
    if channel is None:
        return "channel_not_found"
    if channel.archived:
        return "is_archived"
    return None if channel.member else "not_in_channel"


def _refused(error: str | None, **more: str) -> Answer:
    return {"ok": False, "error": error or "channel_not_found", **more}


def _bare(post: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in post.items() if name != "metadata"}


def _paged(name: str, items: Iterable[Mapping[str, Any]], asked: Mapping[str, Any], page: int) -> Answer:
    all_of_them = list(items)
    start = int(asked.get("cursor") or 0)
    end = start + min(int(asked.get("limit", 100)), page)
    cursor = str(end) if end < len(all_of_them) else ""
    return {"ok": True, name: all_of_them[start:end], "response_metadata": {"next_cursor": cursor}}
