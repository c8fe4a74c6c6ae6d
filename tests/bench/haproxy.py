"""HAProxy, the peer that routes: each request to one of several servers, by chance."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from harness.system.daemon import LOOPBACK
from harness.system.waiting import wait_for
from tests.bench import peers, wrk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STARTS_S = 10.0
# `random(1)` draws one server; with more draws it would take the least busy of them.
_CONFIG = """
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
listen endpoint
  bind fd@{door}
  balance random(1)
{servers}
"""


@contextmanager
def running(places: Sequence[wrk.Place]) -> Iterator[wrk.Place]:
    """Route to these places, with one thread, on the cores of this process."""
    program, environment = peers.haproxy()
    servers = "\n".join(f"  server v{at} {place.url.removeprefix('http://')}" for at, place in enumerate(places))
    with tempfile.TemporaryDirectory() as folder, socket.create_server((LOOPBACK, 0)) as door:
        config = Path(folder) / "haproxy.cfg"
        config.write_text(_CONFIG.format(door=door.fileno(), servers=servers), encoding="utf-8")
        process = subprocess.Popen([program, "-db", "-f", str(config)], env=environment, pass_fds=[door.fileno()])
        try:
            there = wrk.Place(url=f"http://{LOOPBACK}:{door.getsockname()[1]}")
            wait_for(lambda: _answers(f"{there.url}/ping"), subject="haproxy to route", budget_s=_STARTS_S)
            yield there
        finally:
            process.terminate()
            process.wait(timeout=_STARTS_S)


def _answers(url: str) -> bool | None:
    try:
        return requests.get(url, timeout=_STARTS_S).ok or None
    except requests.RequestException:
        return None
