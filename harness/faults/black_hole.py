"""A network that swallows: requests of which no byte arrives, and answers that nobody takes, so that they pile up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.faults.bad_network import BadNetwork
from harness.faults.crowd import Manner, Visit
from harness.faults.piling_up import pile_up, piles_up
from harness.faults.requests_in_bytes import FreshBody, invocation
from harness.system.proxy.proxy import Way
from harness.system.proxy.troubles import BlackHole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

_PERIOD_S = 0.5


def black_hole(profile: Profile, series: Sequence[Second]) -> BadNetwork:
    """Make the fault that a profile describes."""
    body = FreshBody(profile, series)
    ways = (Way(to_sut=BlackHole()), Way(to_client=BlackHole()))

    async def behave(visit: Visit) -> None:
        if piles_up(visit, way=1, of_ways=len(ways)):
            await pile_up(visit, profile.http)
        await visit.send(invocation(profile, body()))
        await visit.until_closed()

    manner = Manner(size=profile.chaos.far_clients, period_s=_PERIOD_S, behave=behave)
    # A slow sut takes its time to fill the buffers.
    return BadNetwork(name="black_hole", ways=ways, manner=manner, hold_s=profile.chaos.traffic_s)
