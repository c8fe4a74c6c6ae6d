"""The generator's connections: answers are kept whole, and what the server closed while idle is not used."""

from __future__ import annotations

import socket
import threading
import time

from harness.load.wire import Wire

LONG = b"x" * 300_000


def _serve_each_connection_once(door: socket.socket) -> None:
    """Answer one request on each of two connections, and close it a little later; only the second is told so."""
    for told in (b"", b"Connection: close\r\n"):
        client, _ = door.accept()
        with client:
            client.recv(65_536)
            client.sendall(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (told, len(LONG)) + LONG)
            time.sleep(0.05)


def test_a_connection_that_was_closed_while_idle_is_not_used_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = threading.Thread(target=_serve_each_connection_once, args=(door,))
        server.start()
        wire = Wire(f"http://127.0.0.1:{door.getsockname()[1]}", patience_s=2.0)
        head = wire.head("GET", "/ping", {})
        first = wire.exchange(head)
        time.sleep(0.2)
        second = wire.exchange(head)
        server.join()
    assert [(trace.status, trace.body) for trace in (first, second)] == [(200, LONG)] * 2
    assert second.connect_s is not None
