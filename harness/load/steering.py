"""A schedule whose rate is changed while it runs: no arrival is lost or doubled where it changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.load.arrivals import turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.load.arrivals import Law

# So often is the rate looked at while nothing is due.
_LOOK_S = 0.02


class Ticking(Protocol):
    """A clock, as far as a schedule needs it."""

    def now_s(self) -> float:
        """Return the seconds since the start."""

    def sleep_until(self, due_s: float) -> None:
        """Sleep until a moment."""


@dataclass(slots=True, kw_only=True)
class Steering:
    """Yields what is due at the rate that `rate_per_s` says at the time, until `is_over`.

    `changed` hears of every new rate, and since when it holds.
    """

    law: Law
    seed: int
    rate_per_s: Callable[[], float]
    is_over: Callable[[], bool]
    changed: Callable[[float, float], None]

    def __call__(self, clock: Ticking) -> Iterator[float]:
        """Yield due moments as they come near."""
        coming = turns(self.law, self.seed)
        turn, turned, since_s, rate_per_s = next(coming), 0.0, 0.0, 0.0
        while not self.is_over():
            now_s, asked_per_s = clock.now_s(), self.rate_per_s()
            if asked_per_s != rate_per_s:
                # The part of a turn that went by at the old rate is gone by.
                turned += (now_s - since_s) * rate_per_s
                since_s, rate_per_s = now_s, asked_per_s
                self.changed(now_s, rate_per_s)
            due_s = since_s + (turn - turned) / rate_per_s if rate_per_s else math.inf
            if due_s > now_s + _LOOK_S:
                clock.sleep_until(now_s + _LOOK_S)
                continue
            yield due_s
            turn = next(coming)
