"""A network on which requests and answers arrive in small pieces, with gaps of any length between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.faults.requests_in_bytes import window_of
from harness.faults.slow_network import slow_network
from harness.system.proxy.proxy import Way
from harness.system.proxy.troubles import Jitter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.bad_network import BadNetwork

# Of a request, and of an answer, which is much shorter.
_PIECES, _ANSWER_PIECE_BYTES, _ANSWER_MOST_BYTES = 20, 40, 800


def jitter(profile: Profile, series: Sequence[Second]) -> BadNetwork:
    """Make the fault that a profile describes."""
    most_s = profile.chaos.far_jitter_s
    piece_bytes = math.ceil(len(window_of(profile, series)) / _PIECES)
    ways = (
        Way(to_sut=Jitter(piece_bytes=piece_bytes, most_s=most_s)),
        Way(to_client=Jitter(piece_bytes=_ANSWER_PIECE_BYTES, most_s=most_s)),
    )
    lag_s = most_s * max(_PIECES + 2, _ANSWER_MOST_BYTES / _ANSWER_PIECE_BYTES)
    return slow_network(profile, series, name="jitter", ways=ways, lag_s=lag_s)
