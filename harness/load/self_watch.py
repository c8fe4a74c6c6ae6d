"""The generator watches itself: what it used of a core, how long garbage collection held it up, its memory."""

from __future__ import annotations

import gc
import resource
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.load.record import Generator

if TYPE_CHECKING:
    from collections.abc import Iterator

_KIB = 1024


@dataclass(slots=True)
class SelfWatch:
    """Counts from the moment at which it is made."""

    pauses: int = 0
    longest_pause_s: float = 0.0
    _cpu_before: float = field(default_factory=time.process_time)
    _began: float = field(default_factory=time.perf_counter)
    _pause_began: float = 0.0

    def state(self, *, offered: int) -> Generator:
        """Return how the generator was so far; its memory is the most that it ever held."""
        return Generator(
            cpu_s=time.process_time() - self._cpu_before,
            wall_s=time.perf_counter() - self._began,
            gc_pauses=self.pauses,
            gc_longest_s=self.longest_pause_s,
            offered=offered,
            memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB,
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
