"""Ten times as many good windows as the profile's rate, each over a connection of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.faults.crowd import Manner, Visit
from harness.faults.requests_in_bytes import FreshBody, invocation
from harness.faults.traffic import MAY_SHED, Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

_PERIOD_S = 1.0


def burst(profile: Profile, series: Sequence[Second]) -> Traffic:
    """Make the fault that a profile describes."""
    body = FreshBody(profile, series)

    async def behave(visit: Visit) -> None:
        await visit.send(invocation(profile, body()))
        await visit.until_closed()

    # As many clients as come within a period: one that waits long for its answer holds up nobody else.
    size = round(profile.chaos.burst_times * profile.load.rate_per_s * _PERIOD_S)
    manner = Manner(size=size, period_s=_PERIOD_S, behave=behave)
    return Traffic(name="burst", manner=manner, hold_s=profile.chaos.traffic_s, expects=MAY_SHED, is_loud=True)
