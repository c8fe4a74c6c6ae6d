"""A simulator of releases: calls that chance gives to two variants, and what each answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.profile import load_profile
from harness.release.guardrails import Deployment, Release, Watch
from harness.release.rollout.judge import judge
from harness.release.rollout.record import Beat, Reference, Seen, header_of
from tests.unit.made_matches import markets, misses

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from harness.release.rollout.judge import Judgement
    from harness.release.rollout.record import Header, Line

PROFILE = load_profile()
RELEASE = Release(deployment=Deployment(percent=10, bake_s=40), alarms=Watch(least=100))
HEADER = header_of(RELEASE, PROFILE, champion="good:1", challenger="good:2", fleet=1, rate_per_s=100.0, has_truths=True)
_BEAT_S = 0.5
_MOVE_BPS = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How often a variant errs, is late, answers unlike the champion; how many times the champion it is off."""

    errors: float = 0.0
    late: float = 0.0
    unlike: float = 0.0
    wrong: float = 0.0
    worse: float = 1.0


GOOD = Behaviour()


def released(
    rng: np.random.Generator, challenger: Behaviour = GOOD, champion: Behaviour = GOOD, header: Header = HEADER
) -> Judgement:
    """Return how a simulated release ends."""
    return judge(header, lines(rng, challenger, champion, header))


def lines(rng: np.random.Generator, challenger: Behaviour, champion: Behaviour, header: Header) -> Iterator[Line]:
    """Send a call at a time until the last step has baked; chance gives each to the challenger with its share."""
    per_beat, steps = round(header.rate_per_s * _BEAT_S), round(header.bake_s / _BEAT_S)
    total = per_beat * steps * len(header.shares)
    (unforeseen,) = markets(rng, 1, total)
    ours = misses(rng, unforeseen, challenger.worse)
    theirs = misses(rng, unforeseen)
    chance = rng.random((total, 5))
    beat, at = 0, 0
    for share in header.shares:
        for _ in range(steps):
            beat += 1
            for _ in range(per_beat):
                is_challenger = bool(chance[at, 0] < share)
                who = challenger if is_challenger else champion
                yield Seen(
                    at_s=(beat - 0.5) * _BEAT_S,
                    is_challenger=is_challenger,
                    share=share,
                    is_error=bool(chance[at, 1] < who.errors),
                    is_late=bool(chance[at, 2] < who.late),
                    status=200,
                    wrong="P1" if is_challenger and chance[at, 4] < who.wrong else "",
                    miss_bps=float(ours[at]) * _MOVE_BPS,
                    naive_bps=float(unforeseen[at]) * _MOVE_BPS,
                    reference=_reference(theirs[at], unlike=bool(chance[at, 3] < who.unlike), share=share, turn=at),
                )
                at += 1
            yield Beat(at_s=beat * _BEAT_S)


def _reference(miss: float, *, unlike: bool, share: float, turn: int) -> Reference | None:
    """Return the champion's answer; at full share one window in ten is asked again."""
    if share == 1 and turn % 10:
        return None
    return Reference(
        status=200, miss_bps=float(miss) * _MOVE_BPS, apart_bps=500.0 if unlike else 1.0, is_flagged_alike=not unlike
    )
