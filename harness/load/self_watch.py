"""The generator watches itself: what it used of a core, how long garbage collection held it up, its memory."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from harness.load.record import Generator

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class SelfWatch:
    """Counts from the moment at which it is made."""

    pauses: int = 0
    longest_pause_s: float = 0.0
    _cpu_before: float = field(default_factory=time.process_time)
    _began: float = field(default_factory=time.perf_counter)
    _pause_began: float = 0.0
    _process: psutil.Process = field(default_factory=psutil.Process)

    def state(self, *, offered: int) -> Generator:
        """Return how the generator was so far, and what memory it holds now."""
        return Generator(
            cpu_s=time.process_time() - self._cpu_before,
            wall_s=time.perf_counter() - self._began,
            gc_pauses=self.pauses,
            gc_longest_s=self.longest_pause_s,
            offered=offered,
            memory_bytes=self._process.memory_info().rss,
        )

    def on_collection(self, phase: str, _info: dict[str, int]) -> None:
        """Be called by the collector at the start and the end of each collection."""
        if phase == "start":
            self._pause_began = time.perf_counter()
        else:
            self.pauses += 1
            self.longest_pause_s = max(self.longest_pause_s, time.perf_counter() - self._pause_began)


@contextmanager
def watching_itself() -> Iterator[SelfWatch]:
    """Watch this process; what stands before the first request is never looked at again by the collector."""
    gc.collect()
    gc.freeze()
    watch = SelfWatch()
    gc.callbacks.append(watch.on_collection)
    try:
        yield watch
    finally:
        gc.callbacks.remove(watch.on_collection)
