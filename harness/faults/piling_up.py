"""Piling up: so many pings over one connection that their answers fill every buffer where they are not taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.faults.requests_in_bytes import ping

if TYPE_CHECKING:
    from harness.contract.profile import Http
    from harness.faults.crowd import Visit

# Their answers are more than the buffers between take; a few clients are enough, and each costs the sut its work.
_PINGS, _CLIENTS = 2_000, 4


def piles_up(visit: Visit, *, way: int, of_ways: int) -> bool:
    """Whether a client is one of those few, which all come through one of so many ways."""
    return visit.number % of_ways == way and visit.number < _CLIENTS * of_ways


async def pile_up(visit: Visit, http: Http) -> None:
    """Ask, and take answers as fast as the network lets them through, until the sut closes."""
    await visit.send(ping(http) * _PINGS)
    await visit.until_closed()
