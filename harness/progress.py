"""One line on the terminal that says how far a run is: suite, check, and the time that is left. A plugin of its own."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import IO, TYPE_CHECKING

import pytest

from harness.options import CHOICE
from harness.recorder import SUITE, short_id
from harness.report.durations import Forecast, forecast
from harness.report.legible import legible

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

_EVERY_S = 1.0
_CLEAR = "\r\x1b[2K"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How far a run is: the checks in order, of which `done` are done; the current one runs for `spent_s`."""

    checks: Sequence[tuple[str, str]]  # suite and check
    done: int
    failed: int
    spent_s: float

    def line(self, expected: Forecast, width: int) -> str:
        """Say it in one line of at most so many columns."""
        if self.done >= len(self.checks):
            return ""
        suite, check = self.checks[self.done]
        left_s = expected.left_s((name for _, name in self.checks[self.done :]), spent_s=self.spent_s)
        left = f", about {_clock(left_s)} left" if left_s is not None else ""
        failed = f", {self.failed} failed" if self.failed else ""
        head = f"{suite:<8} {self.done + 1} of {len(self.checks)}{failed}{left}  "
        return legible(f"{head}{check.partition('::')[2] or check}")[:width]


class ProgressLine:
    """Keeps the line at the foot of the output, in place of pytest's dots."""

    def __init__(self, terminal: IO[str], expected: Forecast) -> None:
        """Write to a terminal of its own: what a check prints is captured, and so would this be."""
        self._terminal = terminal
        self._expected = expected
        self._checks: list[tuple[str, str]] = []
        self._done = self._failed = 0
        self._began_s = time.monotonic()
        self._lock = threading.RLock()
        self._over = threading.Event()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn what there is to do."""
        suites = [dict(item.user_properties).get(SUITE, "") for item in session.items]
        names = [short_id(item.nodeid) for item in session.items]
        self._checks = [(str(suite), name) for suite, name in zip(suites, names, strict=True)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Show the line while checks run."""
        ticker = threading.Thread(target=self._tick, daemon=True)
        ticker.start()
        try:
            return (yield)
        finally:
            self._over.set()
            ticker.join()
            self._write(_CLEAR)

    def pytest_runtest_logstart(self) -> None:
        """Begin to count the time of a check."""
        with self._lock:
            self._began_s = time.monotonic()
            self._draw()

    def pytest_runtest_logfinish(self) -> None:
        """Count a check as done."""
        with self._lock:
            self._done += 1

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> Generator[None, tuple[str, str, str], tuple[str, str, str]]:
        """Keep pytest from printing a letter into the line; what failed is named above it."""
        category, letter, word = yield
        if self._over.is_set():
            return category, letter, word
        if letter and getattr(report, "failed", False):
            with self._lock:
                self._failed += 1
                self._write(f"{_CLEAR}{legible(f'{word} {short_id(report.nodeid)}')}\n")
        return category, "", ""

    def _tick(self) -> None:
        while not self._over.wait(_EVERY_S):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        spent_s = time.monotonic() - self._began_s
        stand = Stand(checks=self._checks, done=self._done, failed=self._failed, spent_s=spent_s)
        self._write(f"{_CLEAR}{stand.line(self._expected, get_terminal_size().columns - 1)}")

    def _write(self, text: str) -> None:
        self._terminal.write(text)
        self._terminal.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Show the line where somebody watches: on a terminal that can go back to the beginning of a line."""
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return
    folder: Path | None = config.stash[CHOICE].report_dir
    expected = forecast(folder) if folder is not None else Forecast(checks={}, files={})
    terminal = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    config.add_cleanup(terminal.close)
    config.pluginmanager.register(ProgressLine(terminal, expected), "harness.progress-line")
