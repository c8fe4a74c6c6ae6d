"""Where batches arrive, from this process or from workers: they are written down, counted, and known when complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.load.plan import PROGRESS_FILE
from harness.load.progress import Tally
from harness.load.sheet import Sheet

if TYPE_CHECKING:
    from pathlib import Path

    from harness.load.plan import Plan
    from harness.load.sheet import Batch


@dataclass(slots=True)
class Desk:
    """Takes what `sources` generators hand over, with the files in a folder."""

    plan: Plan
    folder: Path
    sources: int = 1
    _sheet: Sheet = field(init=False)
    _tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        """Open the sheet and begin to count."""
        self._sheet = Sheet(self.plan, self.folder, self.sources)
        budget_s = self.plan.profile.http.budget_s
        self._tally = Tally(path=self.folder / PROGRESS_FILE, length_s=self.plan.length_s, budget_s=budget_s)

    @property
    def is_complete(self) -> bool:
        """Whether every generator has handed over its last."""
        return self._sheet.is_whole

    def take(self, batch: Batch, source: str = "") -> None:
        """Take one batch."""
        self._sheet.take(batch, source)
        self._tally.count(batch.attempts, until_s=self._sheet.heard_until_s)
