"""Seconds since a schedule's start; only for Locust's process, where sleeping lets the others run."""

from __future__ import annotations

import time
from dataclasses import dataclass

import gevent


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that reads 0 at `start`, a moment of `time.perf_counter`."""

    start: float

    def now_s(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self.start

    def since_start(self, moment: float | None) -> float | None:
        """Return when a moment was, in seconds since the start."""
        return None if moment is None else moment - self.start

    def sleep_until(self, due_s: float) -> None:
        """Sleep until a moment; not at all where it has passed."""
        remaining_s = due_s - self.now_s()
        if remaining_s > 0:
            gevent.sleep(remaining_s)
