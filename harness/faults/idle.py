"""Clients that connect and say nothing, the half of them after one ping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.faults.crowd import Manner, Visit
from harness.faults.requests_in_bytes import ping
from harness.faults.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

_PERIOD_S = 0.5


def idle(profile: Profile, series: Sequence[Second]) -> Traffic:
    """Make the fault that a profile describes."""
    del series

    async def behave(visit: Visit) -> None:
        if visit.number % 2:
            await visit.send(ping(profile.http))
        await visit.until_closed()

    manner = Manner(size=profile.chaos.idle_clients, period_s=_PERIOD_S, behave=behave)
    return Traffic(name="idle", manner=manner, hold_s=profile.chaos.traffic_s)
