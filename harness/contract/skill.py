"""Skill: is a prediction's error within a limit times persistence's, as far as a sample can tell? Pure."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

# Errors of neighbouring seconds resemble each other: they are drawn in blocks of so many.
_BLOCK = 20
_DRAWS = 2_000
_CONFIDENCE = 0.95
_LEAST = 300


class Undecidable(Exception):  # noqa: N818 - named by what happened
    """The sample cannot tell whether the skill is enough: ours, and no fault of the container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """The ratio of two root mean square errors, the container's over persistence's, with the bounds of its interval."""

    windows: int
    rmse: float
    persistence_rmse: float
    low: float
    high: float
    limit: float
    least: int = _LEAST

    @property
    def verdict(self) -> Verdict:
        """PASSED below the limit, FAILED above it, UNKNOWN where the interval holds it or nothing can be compared."""
        if self.windows < self.least or not self.persistence_rmse:
            return Verdict.UNKNOWN
        if self.high <= self.limit:
            return Verdict.PASSED
        return Verdict.FAILED if self.low > self.limit else Verdict.UNKNOWN

    def __str__(self) -> str:
        ratio = self.rmse / self.persistence_rmse if self.persistence_rmse else math.nan
        return (
            f"RMSE {self.rmse:.6g}, persistence {self.persistence_rmse:.6g}: {ratio:.3f} times, "
            f"between {self.low:.3f} and {self.high:.3f} with {_CONFIDENCE:.0%} confidence, over {self.windows} windows"
        )


def skill_of(
    predictions: Sequence[float],
    persistence: Sequence[float],
    truths: Sequence[float],
    *,
    limit: float,
    least: int = _LEAST,
) -> Skill:
    """Compare predictions and last closes with what came next, in the order of time; all three equally long.

    Of fewer than `least` nothing is said.
    The interval is that of a circular block bootstrap (Politis and Romano, 1992) with a fixed seed.
    """
    ours = [(found - truth) ** 2 for found, truth in zip(predictions, truths, strict=True)]
    naive = [(found - truth) ** 2 for found, truth in zip(persistence, truths, strict=True)]
    ratios = sorted(_bootstrap(ours, naive))
    tail = round((1 - _CONFIDENCE) / 2 * len(ratios))
    count = max(len(ours), 1)
    return Skill(
        windows=len(ours),
        rmse=math.sqrt(sum(ours) / count),
        persistence_rmse=math.sqrt(sum(naive) / count),
        low=ratios[tail] if ratios else math.nan,
        high=ratios[-1 - tail] if ratios else math.nan,
        limit=limit,
        least=least,
    )


def _bootstrap(ours: Sequence[float], naive: Sequence[float]) -> list[float]:
    count = len(ours)
    if not count or not any(naive):
        return []
    ours_of, naive_of = _block_sums(ours), _block_sums(naive)
    choose = random.Random(1)  # noqa: S311 - an interval to repeat, no secret
    blocks = math.ceil(count / _BLOCK)
    ratios = []
    for _ in range(_DRAWS):
        starts = choose.choices(range(count), k=blocks)
        below = sum(map(naive_of.__getitem__, starts))
        ratios.append(math.sqrt(sum(map(ours_of.__getitem__, starts)) / below) if below else math.inf)
    return ratios


def _block_sums(values: Sequence[float]) -> list[float]:
    """Return the sum of each block of neighbours, by its first; the last ones go on at the beginning."""
    around = [*values, *values[:_BLOCK]]
    return [sum(around[start : start + _BLOCK]) for start in range(len(values))]
