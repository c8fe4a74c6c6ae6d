"""Tiny servers in this process, in the place of Docker: an image is the name of a model."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from fixtures.audit_models.server import read_csv, read_json
from harness.contract.data_rules import broken_rules
from harness.contract.records import Window
from harness.release.stage import NotServing
from harness.system.client import Client

if TYPE_CHECKING:
    from harness.contract.profile import Profile

_FORGETS_AGE = "forgets age"
_ERRS = "errs"
_OK, _MALFORMED, _BROKEN, _ERROR = 200, 400, 422, 500


@dataclass(slots=True, kw_only=True)
class Model:
    """Answers half way between the last two closes; `name` says what is wrong with it, if anything is."""

    name: str
    profile: Profile
    asked: int = 0

    def answer(self, body: bytes, content_type: str) -> tuple[int, dict[str, object]]:
        """Return status and content."""
        self.asked += 1
        if self.name == _ERRS and not self.asked % 5:
            return _ERROR, {}
        try:
            records = read_json(body) if content_type == "application/json" else read_csv(body)
            broken = self._broken(records)
        except (ValueError, KeyError, TypeError, AttributeError):
            return _MALFORMED, {}
        if broken:
            return _BROKEN, {}
        closes = [float(record[self.profile.window.named("close")]) for record in records[-2:]]
        return _OK, {"prediction": sum(closes) / 2, "anomalies": []}

    def _broken(self, records: list[dict[str, Any]]) -> set[str]:
        broken = set(broken_rules(self.profile.window, Window(records=tuple(records)), now_s=time.time()))
        return broken - {"D9"} if self.name == _FORGETS_AGE else broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A contestant: a server of its own for each."""

    server: ThreadingHTTPServer
    door: Client
    name: str
    ready_s: float = 1.0

    def held_bytes(self) -> int:
        """Return what is told."""
        return 1_000_000

    def leave(self) -> None:
        """End the server."""
        self.door.close()
        self.server.shutdown()
        self.server.server_close()


@dataclass(slots=True, kw_only=True)
class Hall:
    """A stage without Docker; `entered` are the images that were started."""

    profile: Profile
    entered: list[str] = field(default_factory=list)

    def enter(self, image: str) -> Served:
        """Start a server, but for an image that never becomes ready."""
        self.entered.append(image)
        if image == "never ready":
            msg = "waited in vain"
            raise NotServing(msg)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(Model(name=image, profile=self.profile)))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        door = Client(f"http://127.0.0.1:{server.server_port}", self.profile)
        return Served(server=server, door=door, name=image)


def _handler(model: Model) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body leave in one packet: two would wait for each other's acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, content = model.answer(body, self.headers["Content-Type"])
            answer = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    return Handler
