"""A network that ends connections in order after so many bytes: requests, and answers, that do not come whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.faults.bad_network import BadNetwork, far
from harness.faults.inquiry import Inquiry
from harness.system.proxy.proxy import Way
from harness.system.proxy.troubles import Cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Codec
    from harness.contract.series import Second
    from harness.faults.crowd import Visit

_PATIENCE_S = 2.0
_FIRST_BYTES = 16
# The line's end and a digit of the count before it: what is left of a CSV looks whole.
_LAST_BYTES, _LAST_COUNT = 2, 12


def truncated(profile: Profile, series: Sequence[Second]) -> BadNetwork:
    """Make the fault that a profile describes."""
    *others, last = series[: profile.window.records]
    seconds = [*others, replace(last, count=_LAST_COUNT)]
    inquiry = Inquiry(profile, seconds, patience_s=_PATIENCE_S)
    sizes: dict[Codec, int] = {
        codec: len(inquiry.request(inquiry.cut_short(codec), codec=codec)) for codec in ("json", "csv")
    }
    ways = (
        Way(to_sut=Cut(after_bytes=sizes["json"] // 2)),
        Way(to_sut=Cut(after_bytes=sizes["csv"] - _LAST_BYTES)),
        Way(to_client=Cut(after_bytes=_FIRST_BYTES)),
    )
    codecs: tuple[Codec, ...] = ("json", "csv", "json")

    async def behave(visit: Visit) -> None:
        codec = codecs[visit.number % len(ways)]
        await inquiry.ask(visit, inquiry.cut_short(codec), codec=codec)

    hold_s = profile.chaos.traffic_s / 2
    return BadNetwork(name="truncated", ways=ways, manner=far(profile, behave), hold_s=hold_s, inquiry=inquiry)
