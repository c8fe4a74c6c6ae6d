"""A network that resets connections: in the middle of a request, and while answers are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.faults.bad_network import BadNetwork, far
from harness.faults.requests_in_bytes import FreshBody, invocation, ping
from harness.system.proxy.proxy import Way
from harness.system.proxy.troubles import Reset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.crowd import Visit

# The first answer brings the reset about; those to the pings after it are being written when it comes.
_PINGS, _FIRST_BYTES = 16, 16


def reset(profile: Profile, series: Sequence[Second]) -> BadNetwork:
    """Make the fault that a profile describes."""
    body = FreshBody(profile, series)
    whole = len(invocation(profile, body(), keep=True))
    ways = (Way(to_sut=Reset(after_bytes=whole // 2)), Way(to_client=Reset(after_bytes=_FIRST_BYTES)))

    async def behave(visit: Visit) -> None:
        pings = ping(profile.http) * (_PINGS if visit.number % len(ways) else 0)
        await visit.send(invocation(profile, body(), keep=True), pings)
        await visit.until_closed()

    hold_s = profile.chaos.traffic_s / 2
    return BadNetwork(name="reset", ways=ways, manner=far(profile, behave), hold_s=hold_s, must_reset=True)
