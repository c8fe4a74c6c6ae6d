"""D9, D10, R1: how old a window may be and how far ahead, to a fraction of a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from harness.contract.age import Sighting, judge_age, sides
from harness.contract.judge import demand
from harness.contract.levels import series_in
from harness.contract.records import SECOND_NS, build
from harness.options import CHOICE
from harness.system.engine import clock_ahead_s, reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.age import Side
    from harness.contract.profile import Profile
    from harness.contract.records import Codec
    from harness.system.client import Client

pytestmark = pytest.mark.dq

# Less is no fault: a server may read its clock only now and then.
NEAREST_S = 0.3
# What differs by less is one clock, asked a little later.
SAME_CLOCK_S = 0.15
# What is answered too late to tell is tried again, a little farther from the limit.
MARGINS_S = (0.4, 0.8, 1.6)


@pytest.mark.rule("R1", "D9", "D10")
@pytest.mark.parametrize("codec", ["json", "csv"])
def test_the_limits_of_age_are_kept_to_a_fraction_of_a_second(
    client: Client, profile: Profile, codec: Codec, *, is_our_clock: bool
) -> None:
    """A window MUST be taken within the limits of age (by default 60 s, and 2 s ahead), and refused beyond either."""
    tries = [sides(profile.window, nearest_s=NEAREST_S, margin_s=margin_s) for margin_s in MARGINS_S]
    seen = [_see(client, profile, same, codec) for same in zip(*tries, strict=True)]
    demand(judge_age(seen, is_our_clock=is_our_clock))


@pytest.fixture(scope="module")
def is_our_clock(request: pytest.FixtureRequest) -> bool:
    """Whether the container goes by this machine's clock: that of the engine that we started it on is compared."""
    if request.config.stash[CHOICE].url:
        return False
    return abs(clock_ahead_s(reach())) < SAME_CLOCK_S


def _see(client: Client, profile: Profile, tries: Sequence[Side], codec: Codec) -> Sighting:
    """Send a window that lies on one side of a limit, until an answer is right or came early enough to be judged."""
    *others, last = tries
    for side in others:
        seen = _look(client, profile, side, codec)
        if seen.is_right or seen.is_sure:
            return seen
    return _look(client, profile, last, codec)


def _look(client: Client, profile: Profile, side: Side, codec: Codec) -> Sighting:
    began_s = time.time()
    end_ns = round((began_s + side.ahead_s) * SECOND_NS)
    window = build(profile.window, series_in(profile, seed=2, seconds=profile.window.records), end_ns=end_ns)
    answer = client.predict(window, codec).answer
    return Sighting(side=side, answer=answer, took_s=time.time() - began_s, refused=profile.refusals.broken)
