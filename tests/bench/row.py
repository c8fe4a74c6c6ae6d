"""A row of the bench: what was measured, beside what, and the goal that it has."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A median and the least and the most of what was measured."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.least:.3g} to {self.most:.3g})"


def spread(values: Sequence[float]) -> Spread:
    """Return the median of values and how far they lie apart."""
    return Spread(median=statistics.median(values), least=min(values), most=max(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table, in words; `kept` says whether the goal was reached, None where there is none."""

    measured: str
    ours: str
    beside: str
    ratio: str
    goal: str = ""
    kept: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the line's cells."""
        kept = {None: "", True: "yes", False: "**no**"}[self.kept]
        return (self.measured, self.ours, self.beside, self.ratio, self.goal, kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Something to measure: `how` is told beside the table, `run` measures it, within `budget_s`."""

    name: str
    how: str
    budget_s: int
    run: Callable[[], list[Line]]
