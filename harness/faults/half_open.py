"""A network that loses clients without a word: in the middle of a request, or of its answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.faults.bad_network import BadNetwork
from harness.faults.crowd import Manner, Visit
from harness.faults.requests_in_bytes import FreshBody, invocation, ping
from harness.system.proxy.proxy import Way
from harness.system.proxy.troubles import HalfOpen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

_PERIOD_S, _STAYS_S = 0.4, 0.2
_FIRST_BYTES = 16


def half_open(profile: Profile, series: Sequence[Second]) -> BadNetwork:
    """Make the fault that a profile describes."""
    body = FreshBody(profile, series)
    whole = len(invocation(profile, body(), keep=True))
    ways = (Way(to_sut=HalfOpen(after_bytes=whole // 2)), Way(to_client=HalfOpen(after_bytes=_FIRST_BYTES)))

    async def behave(visit: Visit) -> None:
        is_asking = visit.number % len(ways) == 0
        await visit.send(invocation(profile, body(), keep=True) if is_asking else ping(profile.http))
        await asyncio.sleep(_STAYS_S)  # then it leaves, and the sut does not hear of it

    manner = Manner(size=profile.chaos.slow_clients, period_s=_PERIOD_S, behave=behave)
    return BadNetwork(name="half_open", ways=ways, manner=manner, hold_s=profile.chaos.traffic_s / 2)
