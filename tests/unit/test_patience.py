"""Overload is borne for a while: what is shed goes out again, and what nobody gets through is judged."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from harness.contract.profile import load_profile
from harness.system.client import Answer, Client
from harness.system.patience import Patience, is_shed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROFILE = load_profile()


def answer(status: int, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=b"", elapsed_s=0.0)


@pytest.fixture
def shedding() -> Iterator[Callable[[int], tuple[str, list[str]]]]:
    """Serve 503 so many times, then 200; the paths that were asked for are noted."""
    servers: list[HTTPServer] = []

    def make(times: int) -> tuple[str, list[str]]:
        asked: list[str] = []

        class Shedding(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked.append(self.path)
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                self.send_response(503 if len(asked) <= times else 200)
                self.send_header("Retry-After", "0")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - the library's name

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Shedding)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}", asked

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def test_what_is_shed_goes_out_again(shedding: Callable[[int], tuple[str, list[str]]]) -> None:
    url, asked = shedding(3)
    assert Client(url, PROFILE, patience=Patience()).invoke(b"{}").answer.status == 200
    assert len(asked) == 4


def test_without_patience_it_does_not(shedding: Callable[[int], tuple[str, list[str]]]) -> None:
    url, asked = shedding(1)
    assert Client(url, PROFILE).invoke(b"{}").answer.status == 503
    assert len(asked) == 1


def test_a_ping_never_goes_out_again(shedding: Callable[[int], tuple[str, list[str]]]) -> None:
    url, asked = shedding(1)
    assert Client(url, PROFILE, patience=Patience()).ping().answer.status == 503
    assert len(asked) == 1


def test_patience_ends_for_all_until_something_gets_through() -> None:
    patience, shed = Patience(span_s=0.1), answer(503, retry_after="0")
    borne = 0
    while patience.bears(shed):
        borne += 1
    assert borne >= 1
    assert not patience.bears(shed)
    assert not patience.bears(answer(404))
    assert not patience.bears(shed)
    assert not patience.bears(answer(200))
    assert patience.bears(shed)


@pytest.mark.parametrize(
    ("found", "shed"),
    [
        (answer(503, retry_after="1"), True),
        (answer(503, retry_after="soon"), False),
        (answer(503), False),
        (answer(500, retry_after="1"), False),
    ],
)
def test_only_what_says_when_to_come_again_is_shed(found: Answer, *, shed: bool) -> None:
    assert is_shed(found) is shed
