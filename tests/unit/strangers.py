"""Servers that nobody has described: each speaks one protocol, and predicts the last close."""

from __future__ import annotations

import csv
import io
import json
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from harness.contract.malformed import is_json
from harness.survey.asker import Asker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.contract.profile import Profile

    Reader = Callable[[bytes, str], float]
    Writer = Callable[[float], object]

_NOT_FOUND, _NO_METHOD, _UNREADABLE, _TOO_LARGE = 404, 405, 400, 413


class Unread(Exception):  # noqa: N818 - named by what happened
    """This is not how the stranger is asked."""


def as_json(read: Callable[[Any], float]) -> Reader:
    """Take JSON, and find the last close in it."""

    def reader(body: bytes, kind: str) -> float:
        if not kind.startswith("application/json"):
            raise Unread
        return float(read(json.loads(body)))

    return reader


def as_strict_json(read: Callable[[Any], float]) -> Reader:
    """Take what RFC 8259 calls JSON, and nothing else."""

    def reader(body: bytes, kind: str) -> float:
        if not kind.startswith("application/json") or not is_json(body):
            raise Unread
        return float(read(json.loads(body)))

    return reader


def as_csv(body: bytes, kind: str) -> float:
    """Take CSV as the body."""
    if not kind.startswith("text/csv"):
        raise Unread
    return float(list(csv.DictReader(io.StringIO(body.decode())))[-1]["price_close"])


def as_upload(name: str) -> Reader:
    """Take CSV as a file of a form."""

    def reader(body: bytes, kind: str) -> float:
        head, _, rest = body.partition(b"\r\n\r\n")
        if not kind.startswith("multipart/form-data") or f' name="{name}";'.encode() not in head:
            raise Unread
        return as_csv(rest.partition(b"\r\n--")[0], "text/csv")

    return reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """What it speaks: its ping, its route, how it reads a window, what it answers, and its other pages."""

    route: str
    readers: tuple[Reader, ...]
    writer: Writer = lambda value: {"prediction": value}
    ping: str = "/ping"
    pages: Mapping[str, object] = field(default_factory=dict)
    limit_bytes: int = 1_048_576

    def answer(self, method: str, path: str, body: bytes, kind: str) -> tuple[int, object]:
        """Return status and content."""
        if path in (self.ping, *self.pages):
            return (200, self.pages.get(path, {})) if method in ("GET", "HEAD", "POST") else (_NO_METHOD, {})
        if path != self.route:
            return _NOT_FOUND, {"detail": "Not Found"}
        if method != "POST":
            return _NO_METHOD, {}
        if len(body) > self.limit_bytes:
            return _TOO_LARGE, {}
        for reader in self.readers:
            try:
                return 200, self.writer(reader(body, kind))
            except (Unread, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
                continue
        return _UNREADABLE, {"detail": "not understood"}


@contextmanager
def asking(stranger: Stranger, profile: Profile) -> Iterator[Asker]:
    """Serve a stranger, and give somebody who asks it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stranger))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        with closing(Asker(f"http://127.0.0.1:{server.server_port}", profile)) as asker:
            yield asker
    finally:
        server.shutdown()
        server.server_close()


def _handler(stranger: Stranger) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body leave in one packet: two would wait for each other's acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            kind = self.headers["Content-Type"] or ""
            status, content = stranger.answer(self.command, self.path, body, kind)
            answer = b"" if self.command == "HEAD" else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    return Handler
