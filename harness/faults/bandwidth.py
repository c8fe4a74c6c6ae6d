"""A narrow network: requests take long to arrive, and answers pile up at the sut because they leave so slowly."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from harness.faults.piling_up import pile_up, piles_up
from harness.faults.requests_in_bytes import window_of
from harness.faults.slow_network import slow_network
from harness.system.proxy.proxy import Way
from harness.system.proxy.troubles import Bandwidth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.bad_network import BadNetwork
    from harness.faults.crowd import Visit

# So long do clients let answers pile up before they come again.
_PILES_S = 1.2


def bandwidth(profile: Profile, series: Sequence[Second]) -> BadNetwork:
    """Make the fault that a profile describes."""
    narrow = Bandwidth(bytes_per_s=profile.chaos.far_bytes_per_s)
    ways = (Way(to_sut=narrow), Way(to_client=narrow))
    # A request has a head too, and an answer is short.
    lag_s = 1.1 * len(window_of(profile, series)) / narrow.bytes_per_s

    async def then(visit: Visit) -> None:
        if piles_up(visit, way=1, of_ways=len(ways)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PILES_S):
                    await pile_up(visit, profile.http)

    return slow_network(profile, series, name="bandwidth", ways=ways, lag_s=lag_s, then=then)
