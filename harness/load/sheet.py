"""Where attempts are written as they end: one file a lap, which takes its name only when it is whole."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from harness.load.record import NOT_STARTED, Attempt, Generator, last_line, line_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.load.plan import Plan

# After its end a lap waits so much longer than the patience for its last answers.
_SLACK_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a generator hands over: attempts that ended, and its own state, both up to `until_s`."""

    attempts: Sequence[Attempt]
    generator: Generator
    until_s: float
    is_last: bool = False


@dataclass(slots=True, kw_only=True)
class _Source:
    """One generator, as far as it has been heard of; `counted` is its state where the last lap was closed."""

    until_s: float = 0.0
    generator: Generator = NOT_STARTED
    counted: Generator = NOT_STARTED


@dataclass(slots=True)
class Sheet:
    """The record of a measurement that `sources` generators make; bounded in memory however long it lasts."""

    plan: Plan
    folder: Path
    sources: int = 1
    _known: dict[str, _Source] = field(default_factory=dict, init=False)
    _drafts: dict[int, IO[str]] = field(default_factory=dict, init=False)
    _closed: int = field(default=0, init=False)

    @property
    def is_whole(self) -> bool:
        """Whether every lap is closed."""
        return self._closed == self.plan.laps

    def take(self, batch: Batch, source: str = "") -> None:
        """Write what a generator hands over, and close the laps to which nothing can be added any more."""
        for attempt in batch.attempts:
            # No answer is waited for so long that its lap is closed; if it were, it would count in the next.
            self._draft(max(self.plan.lap_of(attempt.due_s), self._closed)).write(line_of(attempt))
        known = self._known.setdefault(source, _Source())
        known.generator = batch.generator
        known.until_s = math.inf if batch.is_last else max(known.until_s, batch.until_s)
        while not self.is_whole and self.heard_until_s > self._closing_s(self._closed):
            self._close(self._closed)

    @property
    def heard_until_s(self) -> float:
        """Up to when every generator has said all; infinity when the last has said its last."""
        if len(self._known) < self.sources:
            return 0.0
        return min(known.until_s for known in self._known.values())

    def _closing_s(self, lap: int) -> float:
        return self.plan.span_of(lap)[1] + self.plan.patience_s + _SLACK_S

    def _close(self, lap: int) -> None:
        draft = self._draft(lap)
        draft.write(last_line([known.generator.since(known.counted) for known in self._known.values()]))
        draft.close()
        del self._drafts[lap]
        path = self.folder / self.plan.file_of(lap)
        path.with_suffix(".part").rename(path)
        for known in self._known.values():
            known.counted = known.generator
        self._closed += 1

    def _draft(self, lap: int) -> IO[str]:
        if lap not in self._drafts:
            path = (self.folder / self.plan.file_of(lap)).with_suffix(".part")
            self._drafts[lap] = path.open("w", encoding="utf-8")  # closed with its lap
        return self._drafts[lap]
