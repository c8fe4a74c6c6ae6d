"""A Slack-like server on loopback: enforces Slack's documented rules, records what it accepts, injects faults."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import parse_qsl

from harness.alerts.slack_rules import content_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PAGE_MAX = 200
_MENTION = re.compile(r"<([!@#][^>]*)>")
_SCOPES = frozenset({"chat:write", "channels:read", "groups:read", "channels:history"})
POST = "chat.postMessage"
FaultKind = Literal["status", "error", "drop before accept", "drop after accept", "hang", "hang after accept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one request; `retry_after` and `page` (a proxy's, not JSON) go with a status, `hang_s` a hang."""

    kind: FaultKind
    status: int = 500
    error: str = ""
    retry_after: str | None = None
    page: str = ""
    hang_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel as conversations.list shows it."""

    id: str
    name: str
    member: bool = True
    archived: bool = False
    private: bool = False


@dataclass(slots=True)
class _State:
    channels: tuple[Channel, ...]
    token: str
    scopes: frozenset[str]
    now: Callable[[], float]
    page: int
    posts: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)


class SlackServer:
    """Use it as a context manager and give `base_url` to a client; `posts` are the accepted messages, oldest first."""

    def __init__(
        self,
        *channels: Channel,
        token: str = "xoxb-test",  # noqa: S107 - of this server only
        scopes: frozenset[str] = _SCOPES,
        now: Callable[[], float] = time.time,
        page: int = _PAGE_MAX,
        port: int = 0,
    ) -> None:
        listed = channels or (Channel(id="C0000000001", name="debug-slackbot"),)
        self._state = _State(listed, token, scopes, now, page)
        self._server = _Server(self._state, port)
        self.port: int = self._server.server_address[1]
        self.base_url = f"http://127.0.0.1:{self.port}/api/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._state.closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def posts(self) -> list[dict[str, Any]]:
        """The accepted messages as posted, each with its `ts` and `channel` (an ID)."""
        with self._state.lock:
            return [dict(post) for post in self._state.posts]

    @property
    def calls(self) -> list[str]:
        """The methods called so far, faults included."""
        with self._state.lock:
            return list(self._state.calls)

    def inject(self, *faults: Fault, method: str = POST) -> None:
        """Have the next requests to a method meet these faults, one each."""
        with self._state.lock:
            self._state.faults.setdefault(method, deque()).extend(faults)

    def clear(self) -> None:
        """Forget the faults that are left."""
        with self._state.lock:
            self._state.faults.clear()


def mentions(post: Mapping[str, Any]) -> list[str]:
    """Return whom a message would ping or link, as Slack reads it: `<!channel>`, `<@U1>`, `<#C1>`."""
    return _MENTION.findall(json.dumps({name: post.get(name) for name in ("text", "blocks")}))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, state: _State, port: int) -> None:
        self.state = state
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hung up is part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Print nothing."""

    def do_POST(self) -> None:
        """Answer one call of the Web API."""
        state = self.server.state
        method = self.path.rsplit("/", 1)[-1]
        asked = self._asked()
        with state.lock:
            state.calls.append(method)
            queue = state.faults.get(method)
            fault = queue.popleft() if queue else None
        if fault is None or "after accept" in fault.kind:
            answer = self._answer(state, method, asked)
        else:
            answer = {"ok": False, "error": fault.error or "internal_error"}
        self._reply(answer, fault)

    def _asked(self) -> dict[str, Any]:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if "json" in self.headers.get("Content-Type", ""):
            parsed = json.loads(body or "{}")
            return parsed if isinstance(parsed, dict) else {}
        return dict(parse_qsl(body))

    def _answer(self, state: _State, method: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != state.token:
            return {"ok": False, "error": "invalid_auth" if token else "not_authed"}
        answers = {POST: _post, "conversations.history": _history, "conversations.list": _list}
        with state.lock:
            return answers[method](state, asked) if method in answers else {"ok": False, "error": "unknown_method"}

    def _reply(self, answer: dict[str, Any], fault: Fault | None) -> None:
        if fault is not None and "hang" in fault.kind:
            self.server.state.closing.wait(fault.hang_s)
        if fault is not None and ("drop" in fault.kind or "hang" in fault.kind):
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        body = (fault.page if fault and fault.page else json.dumps(answer)).encode()
        self.send_response(fault.status if fault is not None and fault.kind == "status" else 200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if fault is not None and fault.retry_after is not None:
            self.send_header("Retry-After", fault.retry_after)
        self.end_headers()
        self.wfile.write(body)


def _post(state: _State, asked: Mapping[str, Any]) -> dict[str, Any]:
    name = str(asked.get("channel", "")).removeprefix("#")
    channel = next((channel for channel in state.channels if name in (channel.name, channel.id)), None)
    error = _missing(state, "chat:write") or _closed(channel) or content_error(asked)
    if error or channel is None:
        return {"ok": False, "error": error, **({"needed": "chat:write"} if error == "missing_scope" else {})}
    ts = f"{state.now():.0f}.{len(state.posts) + 1:06d}"
    state.posts.append({**asked, "channel": channel.id, "ts": ts})
    return {"ok": True, "channel": channel.id, "ts": ts, "message": {"text": asked.get("text"), "ts": ts}}


def _closed(channel: Channel | None) -> str | None:
    if channel is None:
        return "channel_not_found"
    if channel.archived:
        return "is_archived"
    return None if channel.member else "not_in_channel"


def _history(state: _State, asked: Mapping[str, Any]) -> dict[str, Any]:
    # Unlike a post, a history wants the channel's ID, and never its name.
    channel = next((channel for channel in state.channels if asked.get("channel") == channel.id), None)
    error = _missing(state, "channels:history") or _closed(channel)
    if error or channel is None:
        return {"ok": False, "error": error}
    oldest = float(asked.get("oldest", 0))
    kept = [post for post in reversed(state.posts) if post["channel"] == channel.id and float(post["ts"]) > oldest]
    shown = kept if asked.get("include_all_metadata") == "1" else [_bare(post) for post in kept]
    return _paged("messages", shown, asked, state.page)


def _list(state: _State, asked: Mapping[str, Any]) -> dict[str, Any]:
    types = str(asked.get("types", "public_channel")).split(",")
    needed = ["channels:read", *(["groups:read"] if "private_channel" in types else [])]
    error = next((error for scope in needed if (error := _missing(state, scope))), None)
    if error:
        return {"ok": False, "error": error}
    kept = [channel for channel in state.channels if not channel.private or "private_channel" in types]
    return _paged("channels", [{"id": channel.id, "name": channel.name} for channel in kept], asked, state.page)


def _missing(state: _State, scope: str) -> str | None:
    return None if scope in state.scopes else "missing_scope"


def _bare(post: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in post.items() if name != "metadata"}


def _paged(name: str, items: list[dict[str, Any]], asked: Mapping[str, Any], page: int) -> dict[str, Any]:
    start = int(asked.get("cursor") or 0)
    end = start + min(int(asked.get("limit", 100)), page)
    cursor = str(end) if end < len(items) else ""
    return {"ok": True, name: items[start:end], "response_metadata": {"next_cursor": cursor}}
