"""Clients that send a request's head a line at a time, and never come to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.faults.crowd import Manner, Visit
from harness.faults.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

_PAUSE_S = 0.5


def slow_headers(profile: Profile, series: Sequence[Second]) -> Traffic:
    """Make the fault that a profile describes."""
    del series
    first = f"POST {profile.http.invocations_path} HTTP/1.1\r\nHost: sut\r\nContent-Type: application/json\r\n"

    async def behave(visit: Visit) -> None:
        await visit.send(first.encode())
        line = 0
        while True:
            await asyncio.sleep(_PAUSE_S)
            await visit.send(f"X-Line-{line}: more\r\n".encode())
            line += 1

    manner = Manner(size=profile.chaos.slow_clients, period_s=_PAUSE_S, behave=behave)
    return Traffic(name="slow_headers", manner=manner, hold_s=profile.chaos.traffic_s)
