"""HTTP for the generator: cooperative sockets that note every moment; only for Locust's process.

Connections are kept alive, but none is used again that was idle for long or was closed meanwhile: what a server does
with an idle connection says nothing about a request, and so every other close counts.
"""

from __future__ import annotations

import contextlib
import errno
import select
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import gevent
from gevent import monkey, socket, ssl
from geventhttpclient.response import HTTPParseError, HTTPSocketResponse

if TYPE_CHECKING:
    from harness.load.record import Outcome

_IDLE_MOST_S = 0.5
_BLOCK_BYTES = 65_536
# What is kept of an answer, so that one without end does not fill the memory; more is no answer to a window.
_KEPT_BODY_BYTES = 1 << 20
# A look that waits for nothing must not let others run: so not the cooperative one.
_poll = monkey.get_original("select", "poll")
_OURS = (errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM)


@dataclass(slots=True, kw_only=True)
class Trace:
    """How far one exchange came; moments are those of `time.perf_counter`."""

    connect_s: float | None = None
    sent: float | None = None
    first_byte: float | None = None
    ended: float = 0.0
    status: int | None = None
    retry_after: str | None = None
    content_type: str | None = None
    body: bytes = b""
    outcome: Outcome = "ours"
    detail: str = ""


@dataclass(slots=True)
class Wire:
    """Connections to one server; `patience_s` is how long one exchange may take."""

    url: str
    patience_s: float
    prefix: str = field(init=False)
    _idle: deque[tuple[socket.socket, float]] = field(default_factory=deque, init=False)
    _host: str = field(init=False)
    _address: tuple[str, int] = field(init=False)
    _tls: ssl.SSLContext | None = field(init=False)

    def __post_init__(self) -> None:
        """Resolve the name once: a look-up is no part of a latency."""
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self.prefix = parts.path.rstrip("/")
        port = parts.port or (443 if secure else 80)
        self._address = socket.getaddrinfo(self._host, port, type=socket.SOCK_STREAM)[0][4][:2]
        self._tls = ssl.create_default_context() if secure else None

    def head(self, method: str, path: str, headers: dict[str, str]) -> str:
        """Write a request's head, all but its length and the empty line."""
        host = urlsplit(self.url).netloc.rpartition("@")[2]
        fields = {"Host": host, "User-Agent": "inference-harness", "Accept": "application/json", **headers}
        lines = [f"{method} {self.prefix}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        return "\r\n".join(lines) + "\r\n"

    def exchange(self, head: str, body: bytes | None = None, *, new: bool = False) -> Trace:
        """Send a request on a kept or a `new` connection and read the whole answer; the trace has whatever happens."""
        trace = Trace()
        length = "" if body is None else f"Content-Length: {len(body)}\r\n"
        message = f"{head}{length}\r\n".encode() + (body or b"")
        try:
            with gevent.Timeout(self.patience_s):
                self._talk(message, trace, new=new)
            trace.outcome = "answered"
        except gevent.Timeout:
            trace.outcome, trace.detail = "timed out", f"no whole answer within {self.patience_s:g} s"
        except (OSError, HTTPParseError) as error:
            trace.outcome, trace.detail = _outcome(error), f"{type(error).__name__}: {error}"
        trace.ended = time.perf_counter()
        return trace

    def _talk(self, message: bytes, trace: Trace, *, new: bool) -> None:
        connection = None if new else self._waiting()
        connection = connection or self._connected(trace)
        keep = False
        try:
            connection.sendall(message)
            trace.sent = time.perf_counter()
            keep = _receive(connection, trace)
        finally:
            if keep and not new:
                self._idle.append((connection, time.perf_counter()))
            else:
                connection.close()

    def _waiting(self) -> socket.socket | None:
        """Take the connection that was used last and is open still; close those that were idle too long."""
        oldest_allowed = time.perf_counter() - _IDLE_MOST_S
        while self._idle and self._idle[0][1] < oldest_allowed:
            self._idle.popleft()[0].close()
        while self._idle:
            connection, _ = self._idle.pop()
            if not _has_ended(connection):
                return connection
            connection.close()
        return None

    def _connected(self, trace: Trace) -> socket.socket:
        started = time.perf_counter()
        connection = socket.create_connection(self._address)
        trace.connect_s = time.perf_counter() - started
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return connection
        with contextlib.ExitStack() as undo:
            undo.callback(connection.close)
            secured = self._tls.wrap_socket(connection, server_hostname=self._host)
            undo.pop_all()
        return secured


def _has_ended(connection: socket.socket) -> bool:
    """Whether the server has closed an idle connection, as it may at any time (RFC 9112, 9.8)."""
    poll = _poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _receive(connection: socket.socket, trace: Trace) -> bool:
    """Read one answer; return whether the connection can be used again."""
    first = connection.recv(_BLOCK_BYTES)
    if not first:
        msg = "closed without an answer"
        raise ConnectionResetError(msg)
    trace.first_byte = time.perf_counter()
    response = HTTPSocketResponse(connection, block_size=_BLOCK_BYTES, pre_buffered=first)
    trace.body = response.read()[:_KEPT_BODY_BYTES]
    trace.retry_after, trace.content_type = (_text(response.get(name)) for name in ("retry-after", "content-type"))
    trace.status = response.status_code  # last: a status stands for a whole answer
    return not response.should_close()


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError):
        return "timed out"  # the kernel gave up before we did
    return "ours" if isinstance(error, OSError) and error.errno in _OURS else "closed"
