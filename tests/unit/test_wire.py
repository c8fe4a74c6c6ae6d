from __future__ import annotations

import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from harness.system.answer_bytes import NotHttp, find
from harness.system.wire import NotPlain, Place, Wire, chunked, lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE_S = 0.3


@pytest.fixture
def meet() -> Iterator[Callable[[Callable[[socket.socket], None]], Wire]]:
    """Open a wire to a peer that does what a function says, and then closes."""
    opened: list[tuple[Wire, socket.socket, threading.Thread]] = []

    def make(behave: Callable[[socket.socket], None]) -> Wire:
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                behave(client)

        thread = threading.Thread(target=serve)
        thread.start()
        wire = Wire(Place(host="127.0.0.1", port=listener.getsockname()[1]), patience_s=PATIENCE_S)
        opened.append((wire, listener, thread))
        return wire

    yield make
    for wire, listener, thread in opened:
        wire.__exit__(None, None, None)
        thread.join()
        listener.close()


def _tear(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _until_the_end(client: socket.socket) -> bytes:
    came = b""
    while block := client.recv(65_536):
        came += block
    return came


def test_a_place_is_read_from_a_url_with_a_path() -> None:
    place = Place.of("http://127.0.0.1:1234/name/")
    assert place == Place(host="127.0.0.1", port=1234, prefix="/name")
    head = b"GET /name/ping HTTP/1.1\r\nHost: 127.0.0.1:1234\r\nA: b\r\n\r\n"
    assert place.head("GET", "/ping", "A: b") == head


def test_bare_bytes_go_over_plain_http_alone() -> None:
    with pytest.raises(NotPlain, match="plain HTTP"):
        Place.of("https://127.0.0.1")


@pytest.mark.parametrize(
    ("came", "body", "is_kept"),
    [
        (OK, b"ok", True),
        (OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), b"ok", False),
        (OK.replace(b"1.1", b"1.0"), b"ok", False),
        (OK.replace(b"1.1 200 OK\r\n", b"1.0 200 OK\r\nConnection: Keep-Alive\r\n"), b"ok", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"o", b"k"), b"ok", True),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nT: 1\r\n\r\n", b"ok", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    ],
    ids=["length", "close", "HTTP/1.0", "HTTP/1.0 kept", "chunks", "extension and trailer", "no content"],
)
def test_an_answer_is_found_and_what_follows_is_left(came: bytes, body: bytes, *, is_kept: bool) -> None:
    found = find(came + b"HTTP/1.1 ", is_head=False, is_ended=False)
    assert found is not None
    assert (found.body, found.size, found.is_kept) == (body, len(came), is_kept)
    for end in range(len(came)):
        assert find(came[:end], is_head=False, is_ended=True) is None


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    came = b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\nok"
    assert find(came, is_head=False, is_ended=False) is None
    found = find(came, is_head=False, is_ended=True)
    assert found is not None
    assert (found.body, found.headers, found.is_kept) == (b"ok", {"x": "1"}, False)


def test_an_answer_to_head_has_no_body() -> None:
    found = find(OK, is_head=True, is_ended=False)
    assert found is not None
    assert (found.body, found.size) == (b"", len(OK) - 2)


@pytest.mark.parametrize(
    "came",
    [
        b"<html>",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nnothing\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n",
    ],
)
def test_what_is_no_answer_is_said_to_be_none(came: bytes) -> None:
    with pytest.raises(NotHttp):
        find(came, is_head=False, is_ended=False)


def test_answers_are_read_one_after_the_other(meet: Callable[..., Wire]) -> None:
    def behave(client: socket.socket) -> None:
        client.recv(100)
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + OK.replace(b"200", b"404"))

    wire = meet(behave)
    assert wire.send(b"both")
    first, second = wire.read(), wire.read()
    assert first is not None
    assert second is not None
    assert (first.status, second.status, wire.talk.interim, wire.is_usable) == (200, 404, (100,), True)
    assert wire.read() is None
    assert (wire.talk.standing, wire.is_usable) == ("closed", False)


def test_silence_is_no_end(meet: Callable[..., Wire]) -> None:
    wire = meet(_until_the_end)
    wire.send(b"GET")
    assert wire.listen(within_s=0.01) is None
    assert wire.talk.standing == "open"
    assert wire.read(within_s=0.01) is None
    assert (wire.talk.standing, str(wire.talk)) == ("silent", "silent")
    wire.end_sending()
    assert wire.read() is None
    assert str(wire.talk) == "closed"


def test_who_waits_for_more_is_told_that_there_is_no_more(meet: Callable[..., Wire]) -> None:
    wire = meet(lambda client: client.sendall(OK if _until_the_end(client) == b"half" else b""))
    wire.send(b"half")
    answer = wire.read_to_the_end(within_s=0.01)
    assert answer is not None
    assert wire.talk.half_closed


def test_an_early_answer_stops_the_sending(meet: Callable[..., Wire]) -> None:
    def behave(client: socket.socket) -> None:
        client.recv(100)
        client.sendall(OK.replace(b"200", b"413"))
        _until_the_end(client)

    wire = meet(behave)
    wire.send(b"head")
    block = b" " * 1_000_000
    while wire.send(block):
        pass
    answer = wire.read()
    assert answer is not None
    assert answer.status == 413
    assert wire.talk.sent_bytes < 100_000_000
    wire.end_sending()


def test_an_answer_is_read_though_the_peer_tears_the_connection(meet: Callable[..., Wire]) -> None:
    def behave(client: socket.socket) -> None:
        client.recv(10)
        client.sendall(OK)
        _tear(client)

    wire = meet(behave)
    wire.send(b" " * 20_000_000)
    assert wire.read() is not None


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"], ids=["nothing", "half an answer"])
def test_a_torn_connection_is_said_to_be_one(meet: Callable[..., Wire], said: bytes) -> None:
    def behave(client: socket.socket) -> None:
        client.recv(10)
        client.sendall(said)
        _tear(client)

    wire = meet(behave)
    wire.send(b"twelve bytes")
    assert wire.read() is None
    assert (wire.talk.standing, wire.talk.rest) == ("reset", said)


def test_what_is_no_answer_is_kept_as_rest(meet: Callable[..., Wire]) -> None:
    wire = meet(lambda client: client.sendall(b"hello"))
    assert wire.read() is None
    assert (wire.talk.standing, wire.talk.rest) == ("garbled", b"hello")


def test_a_port_where_nobody_listens_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Wire(Place(host="127.0.0.1", port=port), patience_s=PATIENCE_S) as wire:
        assert not wire.send(b"x")
        assert wire.read() is None
        wire.end_sending()
    assert wire.talk.standing == "refused"


def test_the_line_that_repeats_it_is_for_a_shell(meet: Callable[..., Wire]) -> None:
    wire = meet(_until_the_end)
    wire.send(lines("GET /100%'\\ HTTP/1.1", "X: \xff"))
    wire.end_sending()
    place = wire.place
    begin = r"printf 'GET /100%%\047\\ HTTP/1.1\r\nX: \377\r\n\r\n' | nc -N"
    assert wire.talk.curl == f"{begin} 127.0.0.1 {place.port}"


def test_the_line_that_repeats_it_is_cut(meet: Callable[..., Wire]) -> None:
    wire = meet(_until_the_end)
    wire.send(b"x" * 5_000)
    assert wire.talk.curl.endswith("  # 5000 bytes in all")
    assert len(wire.talk.curl) < 1_000
    wire.end_sending()


def test_a_value_may_hold_any_byte_that_ends_no_line() -> None:
    odd = "\xc5ngstr\xf6m \x85 \x0b".encode("latin-1")
    found = find(b"HTTP/1.1 200 OK\r\nServer: %s\r\nContent-Length: 0\r\n\r\n" % odd, is_head=False, is_ended=False)
    assert found is not None
    assert found.headers["server"] == odd.decode("latin-1").strip(" ")
