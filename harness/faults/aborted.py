"""Clients that reset the connection in the middle of an upload, or before they read the answer."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from harness.faults.crowd import Manner, Visit
from harness.faults.requests_in_bytes import FreshBody, invocation
from harness.faults.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

# One visit in four sends a whole request: four a second, which with the probes are no more than the load's rate.
_CLIENTS, _PERIOD_S = 8, 0.5
# On, and no time to linger: closing resets.
_RESET = struct.pack("ii", 1, 0)


def aborted(profile: Profile, series: Sequence[Second]) -> Traffic:
    """Make the fault that a profile describes."""
    body = FreshBody(profile, series)
    whole = len(invocation(profile, body()))
    cuts = (10, whole - len(body()), whole - len(body()) // 2, whole)

    async def behave(visit: Visit) -> None:
        request = invocation(profile, body())
        await visit.send(request[: cuts[(visit.number + visit.turn) % len(cuts)]])
        visit.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    manner = Manner(size=_CLIENTS, period_s=_PERIOD_S, behave=behave)
    return Traffic(name="aborted", manner=manner, hold_s=profile.chaos.traffic_s)
