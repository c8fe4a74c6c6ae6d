"""A failing example is stored in the report's folder, and is what the next run sends first."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CHECK = "tests/data_quality/test_good_windows.py::test_any_quiet_window_is_answered"
DEAR_USD = 10


class Wary(BaseHTTPRequestHandler):
    """Answers good windows in JSON, and refuses them where prices are high; remembers what it answered."""

    protocol_version = "HTTP/1.1"
    statuses: list[int]

    def do_GET(self) -> None:
        """Answer a ping."""
        self._answer(200, {})

    def do_POST(self) -> None:
        """Answer a window by its last close."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.headers["Content-Type"] == "text/csv":
            names, *rows = [line.split(",") for line in body.splitlines()]
            newest = dict(zip(names, rows[-1], strict=True))
        else:
            newest = json.loads(body)["window"][-1]
        close = float(newest["price_close"])
        model = {"name": "last close", "version": "1"}
        answer = {"prediction": close, "as_of": newest["time_period_end"], "horizon_s": 1, "model": model}
        self.statuses.append(422 if close > DEAR_USD else 200)
        self._answer(self.statuses[-1], {**answer, "anomalies": []})

    def _answer(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", self.headers.get("X-Request-Id", "none"))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the terminal quiet."""


def test_a_failing_example_is_replayed_first(tmp_path: Path) -> None:
    with _serving() as (url, statuses):
        assert _ask(url, tmp_path) == 1
        first = statuses.index(422)
        statuses.clear()
        assert _ask(url, tmp_path) == 1
    assert first > 0, "the first run was lucky: nothing was searched"
    assert statuses[0] == 422


@contextmanager
def _serving() -> Iterator[tuple[str, list[int]]]:
    Wary.statuses = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Wary)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Wary.statuses
    server.shutdown()
    thread.join()
    server.server_close()


def _ask(url: str, folder: Path) -> int:
    """Run one check against a URL, and return pytest's exit status."""
    options = [
        f"--sut-url={url}",
        "--sut-alerts=off",
        f"--sut-report-dir={folder}",
        "--sut-effort=quick",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, CHECK], cwd=ROOT, capture_output=True, check=False, timeout=60
    ).returncode
