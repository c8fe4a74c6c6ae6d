"""Windows that are allowed and extreme, amid ordinary ones: nothing of them may outlive its request."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.faults.crowd import Manner, Visit
from harness.faults.requests_in_bytes import FreshBody, invocation
from harness.faults.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

# With the probes no more than the load's rate: what comes beyond it may be shed.
_CLIENTS, _PERIOD_S = 4, 1.0
# The last second's share of the one before, and the share of all prices: crashes and rises at other levels.
_MOVES = ((1.0, 0.5), (1.0, 2.0), (0.1, 1.3), (10.0, 0.7))
_LONGEST_ID = 128


def poison(profile: Profile, series: Sequence[Second]) -> Traffic:
    """Make the fault that a profile describes."""
    seconds = series[: profile.window.records]
    bodies = [FreshBody(profile, _moved(seconds, level, move)) for level, move in _MOVES]

    async def behave(visit: Visit) -> None:
        body = bodies[(visit.number + visit.turn) % len(bodies)]
        await visit.send(invocation(profile, body(), request_id="p" * _LONGEST_ID))
        await visit.until_closed()

    manner = Manner(size=_CLIENTS, period_s=_PERIOD_S, behave=behave)
    return Traffic(name="poison", manner=manner, hold_s=profile.chaos.traffic_s)


def _moved(seconds: Sequence[Second], level: float, move: float) -> list[Second]:
    *calm, last = [_times(second, level) for second in seconds]
    # With a trade in it, whatever it was: a second without any has the last close for its price.
    return [*calm, replace(_times(last, move), volume=1.0, count=1, first_event_ns=0, last_event_ns=0)]


def _times(second: Second, factor: float) -> Second:
    return replace(
        second,
        open=second.open * factor,
        high=second.high * factor,
        low=second.low * factor,
        close=second.close * factor,
    )
