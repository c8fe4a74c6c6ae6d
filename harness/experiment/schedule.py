"""When a prober sends what: an absolute schedule that no slow answer can hold up."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract.profile import Chaos
    from harness.faults.attempt import Asked

_SAME_RATE_PER_S = 2.0


def schedule(chaos: Chaos) -> Iterator[tuple[float, Asked]]:
    """Yield, without end, how many seconds after the start what is due; earliest first.

    The window that is kept is one of those that the rate counts: no more is asked than the profile promises.
    """
    rates: dict[Asked, float] = {
        "good": max(chaos.probe_rate_per_s - _SAME_RATE_PER_S, 0.0),
        "ping": chaos.ping_rate_per_s,
        "same": _SAME_RATE_PER_S,
        "invalid": chaos.invalid_rate_per_s,
    }
    streams = [_stream(asked, rate, phase=index / 5) for index, (asked, rate) in enumerate(rates.items()) if rate]
    return heapq.merge(*streams)


def _stream(asked: Asked, rate_per_s: float, *, phase: float) -> Iterator[tuple[float, Asked]]:
    return (((turn + phase) / rate_per_s, asked) for turn in itertools.count())
