"""Finds one of our messages in a Slack channel by its metadata, to know whether an earlier post was accepted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.alerts.reply import Door

_PAGES_MAX = 10
_PAGE = 200
_CLOCKS_DIFFER_S = 3600.0
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,}")
_OPEN_TYPES = "public_channel"
_ALL_TYPES = "public_channel,private_channel"  # private ones need a scope more


class Unreadable(Exception):  # noqa: N818 - it is an answer, not a failure of ours
    """The history cannot be read; `for_good` where trying later would not help, as without the scope."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.for_good = for_good


class History:
    """The messages of one channel; Slack wants its ID, which `channel_id` gives where it is known already."""

    def __init__(self, door: Door, *, channel: str, channel_id: str | None = None) -> None:
        self._door = door
        self._name = channel.removeprefix("#")
        self._id = channel_id or (self._name if _CHANNEL_ID.fullmatch(self._name) else None)

    @property
    def channel_id(self) -> str | None:
        """The channel's ID, once it is known."""
        return self._id

    def find(
        self, delivery_id: str, since: float, *, left_s: Callable[[], float], thread: str | None = None
    ) -> str | None:
        """Return the `ts` of the message with this delivery ID, sent since about then (epoch). Raises Unreadable.

        A line under a message stands in no history: it is looked for in the `thread` of that message.
        """
        self._id = self._id or self._resolved(left_s)
        asked = {
            "channel": self._id,
            "include_all_metadata": True,
            "oldest": f"{max(0.0, since - _CLOCKS_DIFFER_S):.6f}",
        }
        pages = (
            self._pages("conversations.history", asked, left_s)
            if thread is None
            else self._pages("conversations.replies", {**asked, "ts": thread}, left_s)
        )
        for page in pages:
            for message in page.get("messages", ()):
                payload = message.get("metadata", {}).get("event_payload", {})
                if payload.get("delivery") == delivery_id:
                    return str(message["ts"])
        return None

    def _resolved(self, left_s: Callable[[], float]) -> str:
        try:
            return self._listed(_ALL_TYPES, left_s)
        except Unreadable as error:
            if not error.for_good:
                raise
        return self._listed(_OPEN_TYPES, left_s)

    def _listed(self, types: str, left_s: Callable[[], float]) -> str:
        for page in self._pages("conversations.list", {"types": types}, left_s):
            for channel in page.get("channels", ()):
                if channel.get("name") == self._name:
                    return str(channel["id"])
        reason = f"no channel {self._name} in the list"
        raise Unreadable(reason, for_good=True)

    def _pages(self, method: str, asked: Mapping[str, Any], left_s: Callable[[], float]) -> Iterator[Mapping[str, Any]]:
        cursor = ""
        for _ in range(_PAGES_MAX):
            page = self._page(method, {**asked, "limit": _PAGE, **({"cursor": cursor} if cursor else {})}, left_s())
            yield page
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return
        reason = f"{method} is longer than {_PAGES_MAX} pages"
        raise Unreadable(reason, for_good=True)

    def _page(self, method: str, asked: Mapping[str, Any], timeout_s: float) -> Mapping[str, Any]:
        if timeout_s <= 0:
            reason = "no time left"
            raise Unreadable(reason, for_good=False)
        reply = self._door.call(method, asked, timeout_s=timeout_s)
        if reply.kind == "ok":
            return reply.body
        reason = f"{method}: {reply.error}"
        raise Unreadable(reason, for_good=reply.kind == "rejected")
