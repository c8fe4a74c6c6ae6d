"""The engine, reached over the network: a port that is passed on to its socket."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from harness.system.daemon import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

# An address of this machine that is not the one by which a local engine's containers are reached.
ELSEWHERE = "127.0.0.2"


@pytest.fixture
def engine_elsewhere() -> Iterator[str]:
    """Pass a port on to the engine's socket, and return the address that DOCKER_HOST is to name."""
    address = Machine().engine_address()
    if not address.startswith("unix://"):
        pytest.skip(f"the engine at {address} has no socket here to stand before")
    with socket.create_server((ELSEWHERE, 0)) as listener:
        arguments = listener, address.removeprefix("unix://")
        threading.Thread(target=_pass_on, args=arguments, daemon=True).start()
        yield f"tcp://{ELSEWHERE}:{listener.getsockname()[1]}"


def _pass_on(listener: socket.socket, path: str) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return  # closed: the test is over
        threading.Thread(target=_serve, args=(client, path), daemon=True).start()


def _serve(client: socket.socket, path: str) -> None:
    """Pass one connection on, both ways, until both ends have said all."""
    with client, socket.socket(socket.AF_UNIX) as engine:
        engine.connect(path)
        back = threading.Thread(target=_pour, args=(engine, client), daemon=True)
        back.start()
        _pour(client, engine)
        back.join()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
