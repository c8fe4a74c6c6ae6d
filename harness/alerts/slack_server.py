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

from harness.alerts.slack_workspace import POST, SCOPES, UPDATE, Channel, Rate, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["POST", "UPDATE", "WEBHOOK", "Channel", "Fault", "FaultKind", "SlackServer", "mentions"]

_PAGE_MAX = 200
_MENTION = re.compile(r"<([!@#][^>]*)>")
WEBHOOK = "webhook"
_API, _HOOKS = "/api/", "/services/"
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


@dataclass(slots=True)
class _State:
    workspace: Workspace
    token: str
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
        scopes: frozenset[str] = SCOPES,
        now: Callable[[], float] = time.time,
        page: int = _PAGE_MAX,
        port: int = 0,
        rate_per_s: float | None = None,
    ) -> None:
        listed = channels or (Channel(id="C0000000001", name="debug-slackbot", webhook="T1/B1/test"),)
        workspace = Workspace(channels=listed, scopes=scopes, now=now, page=page, rate=Rate(rate_per_s))
        self._state = _State(workspace, token)
        self._server = _Server(self._state, port)
        self.port: int = self._server.server_address[1]
        self.base_url = f"http://127.0.0.1:{self.port}{_API}"
        self.webhook_url = f"http://127.0.0.1:{self.port}{_HOOKS}{listed[0].webhook}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._state.closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def workspace(self) -> Workspace:
        """What lies behind the server; hold its lock to change it."""
        return self._state.workspace

    @property
    def posts(self) -> list[dict[str, Any]]:
        """The accepted messages as they look now, each with its `ts` and `channel` (an ID)."""
        return [post for post in self._all() if "thread_ts" not in post]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The accepted lines in the threads of messages."""
        return [post for post in self._all() if "thread_ts" in post]

    @property
    def calls(self) -> list[str]:
        """The methods called so far, faults included; a webhook's is "webhook"."""
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

    def delete(self, ts: str) -> None:
        """Delete a message, as a person may."""
        with self.workspace.lock:
            self.workspace.posts[:] = [post for post in self.workspace.posts if post["ts"] != ts]

    def _all(self) -> list[dict[str, Any]]:
        with self.workspace.lock:
            return [dict(post) for post in self.workspace.posts]


def mentions(post: Mapping[str, Any]) -> list[str]:
    """Return whom a message would ping or link, as Slack reads it: `<!channel>`, `<@U1>`, `<#C1>`."""
    return _MENTION.findall(json.dumps({name: post.get(name) for name in ("text", "blocks")}))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

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
        """Answer one call of the Web API, or a post to a webhook."""
        state = self.server.state
        is_webhook = self.path.startswith(_HOOKS)
        method = WEBHOOK if is_webhook else self.path.removeprefix(_API)
        asked = self._asked()
        with state.lock:
            state.calls.append(method)
            queue = state.faults.get(method)
            fault = queue.popleft() if queue else None
        is_lost = fault is not None and "after accept" not in fault.kind
        if is_lost or self._strangers():
            self._reply(200, self._refusal(fault), fault)
        elif is_webhook:
            status, word = state.workspace.answer_webhook(self.path.removeprefix(_HOOKS), asked)
            self._reply(status, word, fault)
        else:
            answer = state.workspace.answer(method, asked)
            limited = answer.get("error") == "ratelimited"
            self._reply(429 if limited else 200, json.dumps(answer), fault, "1" if limited else None)

    def _asked(self) -> dict[str, Any]:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if "json" in self.headers.get("Content-Type", ""):
            parsed = json.loads(body or "{}")
            return parsed if isinstance(parsed, dict) else {}
        return dict(parse_qsl(body))

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _strangers(self) -> bool:
        return self.path.startswith(_API) and self._token() != self.server.state.token

    def _refusal(self, fault: Fault | None) -> str:
        if fault is None:
            return json.dumps({"ok": False, "error": "invalid_auth" if self._token() else "not_authed"})
        return json.dumps({"ok": False, "error": fault.error or "internal_error"})

    def _reply(self, status: int, text: str, fault: Fault | None, retry_after: str | None = None) -> None:
        if fault is not None and "hang" in fault.kind:
            self.server.state.closing.wait(fault.hang_s)
        if fault is not None and ("drop" in fault.kind or "hang" in fault.kind):
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        body = (fault.page if fault and fault.page else text).encode()
        self.send_response(fault.status if fault is not None and fault.kind == "status" else status)
        self.send_header("Content-Type", "application/json; charset=utf-8" if body[:1] == b"{" else "text/html")
        self.send_header("Content-Length", str(len(body)))
        wait = fault.retry_after if fault is not None else retry_after
        if wait is not None:
            self.send_header("Retry-After", wait)
        self.end_headers()
        self.wfile.write(body)
