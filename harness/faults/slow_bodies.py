"""Clients that send a good window a byte at a time, and never come to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.faults.crowd import Manner, Visit
from harness.faults.requests_in_bytes import invocation, window_of
from harness.faults.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

_PAUSE_S = 0.5


def slow_bodies(profile: Profile, series: Sequence[Second]) -> Traffic:
    """Make the fault that a profile describes."""
    body = window_of(profile, series)
    head = invocation(profile, body, with_body=False)

    async def behave(visit: Visit) -> None:
        await visit.send(head, body[:1])
        for place in range(1, len(body) - 1):
            await asyncio.sleep(_PAUSE_S)
            await visit.send(body[place : place + 1])

    manner = Manner(size=profile.chaos.slow_clients, period_s=_PAUSE_S, behave=behave)
    return Traffic(name="slow_bodies", manner=manner, hold_s=profile.chaos.traffic_s)
