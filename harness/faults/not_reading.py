"""Clients that ask and never read, and clients that close their half in the middle of a request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.faults.crowd import Manner, Visit
from harness.faults.requests_in_bytes import FreshBody, invocation, ping
from harness.faults.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

_PIPELINED = 4
# Of the clients so many ask for predictions, the others for pings: more than the load's rate may be shed.
_EVERY = 32
_PERIOD_S = 1.0
_FOR_GOOD_S = 3_600.0


def not_reading(profile: Profile, series: Sequence[Second]) -> Traffic:
    """Make the fault that a profile describes."""
    body = FreshBody(profile, series)

    async def behave(visit: Visit) -> None:
        request = invocation(profile, body(), keep=True)
        visit.writer.transport.pause_reading()  # type: ignore[attr-defined] # a stream's transport reads too
        if visit.number % 2:
            await visit.send((request if visit.number % _EVERY == 1 else ping(profile.http)) * _PIPELINED)
        else:
            await visit.send(request[: len(request) // 2])
            visit.writer.write_eof()
        await asyncio.sleep(_FOR_GOOD_S)

    manner = Manner(size=profile.chaos.slow_clients, period_s=_PERIOD_S, behave=behave)
    return Traffic(name="not_reading", manner=manner, hold_s=profile.chaos.traffic_s)
