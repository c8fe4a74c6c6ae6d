"""When requests are due: an absolute schedule, constant or Poisson, the same for the same seed."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Law = Literal["constant", "poisson"]


def due_times(law: Law, *, rate_per_s: float, length_s: float, seed: int) -> Iterator[float]:
    """Yield the moments, in seconds from the start, at which requests are due; all are below `length_s`."""
    moments = _constant(rate_per_s) if law == "constant" else _poisson(rate_per_s, seed)
    return itertools.takewhile(lambda due_s: due_s < length_s, moments)


def _constant(rate_per_s: float) -> Iterator[float]:
    # A product for each, not a running sum: rounding errors do not add up.
    return (index / rate_per_s for index in itertools.count())


def _poisson(rate_per_s: float, seed: int) -> Iterator[float]:
    rng = random.Random(seed)  # noqa: S311 - a schedule to repeat, no secret
    return itertools.accumulate(rng.expovariate(rate_per_s) for _ in itertools.count())
