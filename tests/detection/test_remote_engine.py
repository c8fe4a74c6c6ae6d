"""An engine that is reached over the network: what needs its machine is skipped with a reason, the rest is judged."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from harness.system.daemon import Machine
from tests.detection.layers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# `make proof` runs it, `make test` does not.
pytestmark = pytest.mark.proof

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


def test_an_engine_over_the_network_is_no_reason_to_know_less(
    engine_elsewhere: str, bases: dict[str, str], tmp_path: Path
) -> None:
    options = ["--sut-alerts=off", f"--sut-report-dir={tmp_path}", f"--rootdir={ROOT}", "-rs", "-p", "no:cacheprovider"]
    chosen = "kill or pause_brief or memory_shrunk or cpu or clock"
    command = [sys.executable, "-m", "pytest", "-q", f"--sut-image={bases['plain']}", *options, "-k", chosen]
    environment = {**os.environ, "DOCKER_HOST": engine_elsewhere}
    ended = subprocess.run(
        [*command, "tests/chaos"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stdout[-5_000:]
    assert (
        f"nothing of this machine can be mounted into a container of the engine at {engine_elsewhere}" in ended.stdout
    )
    assert sorted(path.stem for path in (tmp_path / "chaos").glob("*.jsonl")) == [
        "cpu",
        "kill",
        "memory_shrunk",
        "pause_brief",
    ]
