"""Jumps in a series of prices: beyond a fixed band and all that the series did before; and of what kind. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Literal

from harness.contract.records import SECOND_NS, timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract.profile import Monitor

Kind = Literal["level shift", "spike and back", "stale reference", "not settled yet"]
# From fewer moves than these no deviation can be told: then the band decides alone.
_MOVES_LEAST = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """A move from `before` to `after` that ended at `at_s`; `age_s` lies between the two.

    `changed_s` is when its kind was known; `deviations` says how many median absolute deviations it is, infinite where
    nothing moved before.
    """

    at_s: int
    before: float
    after: float
    age_s: int
    kind: Kind
    changed_s: int
    deviations: float

    @property
    def is_up(self) -> bool:
        """Whether the price rose."""
        return self.after > self.before

    def __str__(self) -> str:
        move = f"{self.before:,.2f} to {self.after:,.2f} ({self.after / self.before - 1:+.1%})"
        when = f"at {timestamp(self.at_s * SECOND_NS)}"
        scale = (
            f"{self.deviations:,.0f} median absolute deviations" if math.isfinite(self.deviations) else "after no move"
        )
        unseen = f", {self.age_s} s after the last price seen" if self.kind == "stale reference" else ""
        return f"{move} {when}: {self.kind}{unseen}; {scale}"


def jumps(prices: Mapping[int, float], promise: Monitor, *, since_s: int) -> tuple[Jump, ...]:
    """Find the jumps in prices by second that happened, or whose kind became known, after a moment.

    A return from a spike belongs to the spike. A move over seconds in which nothing was seen is held against what
    the price may do in so long a time, and its kind is not known: the reference is stale.
    """
    points = sorted(prices.items())
    scale = deviation(prices)
    found, place, in_a_second = list[Jump](), 1, limit(scale, promise)
    while place < len(points):
        # Nearly every move: over more seconds the limit is no lower.
        if abs(points[place][1] / points[place - 1][1] - 1) <= in_a_second:
            place += 1
            continue
        jump, place = _jump_at(points, place, scale, promise)
        if jump is not None and jump.changed_s > since_s:
            found.append(jump)
    return tuple(found)


def deviation(prices: Mapping[int, float]) -> float:
    """Return the median absolute deviation of the moves within a second, as shares; what did not move is left out."""
    points = sorted(prices.items())
    moves = [b / a - 1 for (s, a), (t, b) in pairwise(points) if t - s == 1 and a != b]
    if len(moves) < _MOVES_LEAST:
        return 0.0
    middle = median(moves)
    return median(abs(move - middle) for move in moves)


def limit(scale: float, promise: Monitor, *, age_s: int = 1) -> float:
    """Return the share that a price may move in some seconds: the band, or the deviations where they are more."""
    return max(promise.jump_band, promise.jump_mads * scale * math.sqrt(age_s))


def _jump_at(
    points: Sequence[tuple[int, float]], place: int, scale: float, promise: Monitor
) -> tuple[Jump | None, int]:
    """Return the jump that ends at a place, and the place to go on from."""
    (before_s, before), (at_s, after) = points[place - 1], points[place]
    age_s, move = at_s - before_s, abs(after / before - 1)
    if move <= limit(scale, promise, age_s=age_s):
        return None, place + 1
    kind, changed_s, following = _kind(points, place, promise)
    deviations = move / scale if scale else math.inf
    jump = Jump(
        at_s=at_s, before=before, after=after, age_s=age_s, kind=kind, changed_s=changed_s, deviations=deviations
    )
    return jump, following


def _kind(points: Sequence[tuple[int, float]], place: int, promise: Monitor) -> tuple[Kind, int, int]:
    """Return what kind of jump ends at a place, since when that is known, and the place to go on from."""
    (before_s, before), (at_s, after) = points[place - 1], points[place]
    if at_s - before_s > 1:
        return "stale reference", at_s, place + 1
    for later in range(place + 1, len(points)):
        later_s, price = points[later]
        if later_s - at_s > promise.spike_s:
            break
        if abs(price - before) < abs(after - before) / 2:
            return "spike and back", later_s, later + 1
    settled_s = at_s + math.ceil(promise.spike_s)
    if points[-1][0] < settled_s:
        return "not settled yet", points[-1][0], place + 1
    return "level shift", settled_s, place + 1
