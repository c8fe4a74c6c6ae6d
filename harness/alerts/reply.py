"""How one call to Slack ended, and calls that end in time."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_GRACE_S = 0.5

Kind = Literal["ok", "throttled", "down", "not sent", "unclear", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How one call ended.

    ok: accepted. throttled: refused for now, `retry_after` is the header. down: a server's error, most likely not
    accepted. not sent: the request never got through. unclear: it may have been accepted. rejected: `error` says why.
    """

    kind: Kind
    error: str = ""
    retry_after: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


class Door(Protocol):
    """Something that takes a message for Slack."""

    def call(self, method: str, arguments: Mapping[str, Any], *, timeout_s: float) -> Reply:
        """Call one method of the Web API, e.g. "chat.postMessage", and say how it ended, without raising."""
        ...


def bounded(ask: Callable[[], Reply], *, timeout_s: float) -> Reply:
    """Ask in a thread, for no longer than a timeout: urllib bounds each read, and no look-up of a name."""
    replies: list[Reply] = []
    caller = threading.Thread(target=lambda: replies.append(ask()), daemon=True)
    caller.start()
    caller.join(timeout_s + _GRACE_S)
    return replies[0] if replies else Reply(kind="unclear", error=f"no answer within {timeout_s:.0f} s")


def silent_logger() -> logging.Logger:
    """Return a logger that says nothing: slack_sdk logs bodies and addresses; ours are said once, redacted."""
    silent = logging.getLogger("harness.alerts.slack_sdk")
    silent.setLevel(logging.CRITICAL + 1)
    return silent
