"""How far a measurement is: written once a second by the generator, read by whoever waits for it."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from harness.contract.judge import OK
from harness.load.share import percentile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.load.record import Attempt

# The latency is that of so many of the last requests.
_RECENT = 200
_WRITTEN_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Seconds that went by, of all that are planned; invocations that ended, of which `bad` were no 200 or too late.

    `p99_s` is that of the latest.
    """

    until_s: float
    length_s: float
    ended: int
    bad: int
    p99_s: float

    def __str__(self) -> str:
        spent = f"{self.until_s:.0f} of {self.length_s:.0f} s"
        return f"{spent}: {self.ended} answers, {self.bad} late or not 200, p99 now {self.p99_s * 1000:.0f} ms"


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts what ends; bounded in memory, and cheap however much there is."""

    path: Path
    length_s: float
    budget_s: float
    _ended: int = 0
    _bad: int = 0
    _latest: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _written: float = 0.0

    def count(self, attempts: Iterable[Attempt], *, until_s: float) -> None:
        """Count what ended, and say where it stands now if that was not said within the last second."""
        for one in attempts:
            if one.kind == "invocation":
                self._ended += 1
                self._bad += one.status != OK or one.latency_s > self.budget_s
                self._latest.append(one.latency_s)
        if time.monotonic() - self._written >= _WRITTEN_EVERY_S:
            self._written = time.monotonic()
            self._write(until_s)

    def _write(self, until_s: float) -> None:
        """Replace the file as a whole, so that a reader never sees half of it."""
        progress = Progress(
            until_s=min(until_s, self.length_s),
            length_s=self.length_s,
            ended=self._ended,
            bad=self._bad,
            p99_s=percentile(sorted(self._latest), 0.99) if self._latest else 0.0,
        )
        draft = self.path.with_suffix(".part")
        draft.write_text(json.dumps(asdict(progress)))
        draft.rename(self.path)


def read_progress(path: Path) -> Progress | None:
    """Read what was written last; None before the first time."""
    try:
        return Progress(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
