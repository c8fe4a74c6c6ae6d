"""A network that resets connections: in the middle of a request, and while answers are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.faults.bad_network import BadNetwork
from harness.faults.crowd import Manner, Visit
from harness.faults.requests_in_bytes import FreshBody, invocation
from harness.system.proxy.proxy import Way
from harness.system.proxy.troubles import Reset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

_PERIOD_S = 0.5
# The first answer brings the reset about; those to the others are being written when it comes.
_PIPELINED, _FIRST_BYTES = 3, 16


def reset(profile: Profile, series: Sequence[Second]) -> BadNetwork:
    """Make the fault that a profile describes."""
    body = FreshBody(profile, series)
    whole = len(invocation(profile.http, body(), keep=True))
    ways = (Way(to_sut=Reset(after_bytes=whole // 2)), Way(to_client=Reset(after_bytes=_FIRST_BYTES)))

    async def behave(visit: Visit) -> None:
        request = invocation(profile.http, body(), keep=True)
        await visit.send(request * (_PIPELINED if visit.number % len(ways) else 1))
        await visit.until_closed()

    manner = Manner(size=profile.chaos.far_clients, period_s=_PERIOD_S, behave=behave)
    return BadNetwork(name="reset", ways=ways, manner=manner, hold_s=profile.chaos.traffic_s / 2, must_reset=True)
