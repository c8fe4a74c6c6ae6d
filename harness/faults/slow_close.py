"""A network on which the end of a connection becomes known late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.faults.slow_network import slow_network
from harness.system.proxy.proxy import Way
from harness.system.proxy.troubles import SlowClose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.bad_network import BadNetwork


def slow_close(profile: Profile, series: Sequence[Second]) -> BadNetwork:
    """Make the fault that a profile describes."""
    late = SlowClose(delay_s=profile.chaos.far_delay_s)
    ways = (Way(to_sut=late), Way(to_client=late))
    return slow_network(profile, series, name="slow_close", ways=ways, lag_s=0.0, pings_between=True)
