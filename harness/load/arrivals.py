"""When requests are due: an absolute schedule, constant or Poisson, the same for the same seed, split among several."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Law = Literal["constant", "poisson"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which arrivals of a schedule are one generator's: every `of`-th, beginning with number `index`."""

    index: int = 0
    of: int = 1


WHOLE = Part()


def due_times(law: Law, *, rate_per_s: float, length_s: float, seed: int, part: Part = WHOLE) -> Iterator[float]:
    """Yield the moments, in seconds from the start, at which requests are due; all are below `length_s`."""
    # A quotient for each, not a running sum: rounding errors do not add up.
    moments = (turn / rate_per_s for turn in turns(law, seed))
    own = itertools.islice(moments, part.index, None, part.of)
    return itertools.takewhile(lambda due_s: due_s < length_s, own)


def turns(law: Law, seed: int) -> Iterator[float]:
    """Yield when each arrival is due at a rate of one a second; at another rate these are to be divided by it."""
    if law == "constant":
        return itertools.count()
    rng = random.Random(seed)  # noqa: S311 - a schedule to repeat, no secret
    return itertools.accumulate(rng.expovariate(1.0) for _ in itertools.count())
