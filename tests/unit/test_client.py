"""The client sends what a session of requests would send, and nothing that it was told to leave out."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import requests

from harness.contract.profile import load_profile
from harness.system.client import Client, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUESTS = {
    "ping": Request(method="GET", path="/ping"),
    "head": Request(method="HEAD", path="/ping"),
    "invocation": Request(method="POST", path="/invocations", headers={"Content-Type": "text/csv"}, body=b"a,b\n1,2\n"),
    "no type": Request(method="POST", path="/invocations", headers={"Content-Type": None}, body=b"{}"),
    "usual headers left out": Request(method="GET", path="/ping", headers={"accept": None, "User-Agent": None}),
    "usual headers replaced": Request(method="GET", path="/ping", headers={"accept": "text/html", "X-Request-Id": "~"}),
    "empty body": Request(method="POST", path="/invocations", body=b""),
    "no body": Request(method="PUT", path="/ping"),
    "odd method": Request(method="BREW", path="/ping"),
    "odd path": Request(method="GET", path="/a/../p%69ng?x=1&y=%20#part"),
}


class Listener:
    """Takes one request a connection, keeps its bytes, and answers 200."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.authority = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more; the thread ends first, or it might wait at the next listener under the same file number."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                self.seen.append(_whole(connection))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def _whole(connection: socket.socket) -> bytes:
    content = b""
    while b"\r\n\r\n" not in content:
        content += connection.recv(65_536)
    head, _, body = content.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def _parts(content: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Return the request line, the fields in any order, and the body."""
    head, _, body = content.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    return line, sorted(fields), body


@pytest.fixture
def listener() -> Iterator[Listener]:
    with closing(Listener()) as found:
        yield found


@pytest.mark.parametrize("user", ["", "anna:s%20cret@"])
@pytest.mark.parametrize("request_sent", REQUESTS.values(), ids=REQUESTS.keys())
def test_a_request_goes_out_as_a_session_sends_it(listener: Listener, request_sent: Request, user: str) -> None:
    url = f"http://{user}{listener.authority}"
    with closing(Client(url, load_profile())) as client:
        client.send(request_sent)
    with requests.Session() as session:
        session.trust_env = False
        headers = request_sent.headers
        session.request(request_sent.method, f"{url}{request_sent.path}", headers=headers, data=request_sent.body)
    ours, theirs = listener.seen
    assert _parts(ours) == _parts(theirs)
