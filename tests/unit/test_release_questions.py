"""The windows of a comparison: every regime, what came next, and broken ones that have to be refused."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from harness.contract.data_rules import broken_rules
from harness.contract.profile import load_profile
from harness.contract.records import SECOND_NS, build
from harness.contract.series import generate
from harness.release.question import broken_questions, good_questions

if TYPE_CHECKING:
    from harness.release.question import Question

PROFILE = load_profile()
HISTORY = generate(seed=3, seconds=1_000, level=30_000.0)
NOW_S = 1_800_000_000
END_NS = NOW_S * SECOND_NS


def moves(question: Question) -> list[float]:
    return [abs(after.close / before.close - 1) for before, after in pairwise(question.seconds)]


def test_half_of_the_windows_are_recorded_and_the_others_are_of_every_regime() -> None:
    found = good_questions(PROFILE, HISTORY, count=200, seed=1)
    counts = Counter(question.regime for question in found)
    assert counts == {"history": 100, "quiet": 40, "trending": 20, "jump": 20, "flat": 20}
    for question in found:
        window = build(PROFILE.window, question.seconds, end_ns=END_NS)
        assert not broken_rules(PROFILE.window, window, now_s=NOW_S)


def test_what_came_next_is_the_next_close_of_the_recording() -> None:
    for question in good_questions(PROFILE, HISTORY, count=100, seed=1):
        if question.regime == "history":
            assert question.seconds == tuple(HISTORY[question.at : question.at + 60])
            assert question.truth == HISTORY[question.at + 60].close


def test_regimes_are_what_they_are_called() -> None:
    found = good_questions(PROFILE, None, count=200, seed=1)
    by_regime = {regime: [one for one in found if one.regime == regime] for regime in ("trending", "jump", "flat")}
    assert all(max(moves(one)) > PROFILE.prediction.jump_move for one in by_regime["jump"])
    assert all(max(moves(one)) == 0 and one.truth == one.seconds[-1].close for one in by_regime["flat"])
    rises = [one.seconds[-1].close > one.seconds[0].close for one in by_regime["trending"]]
    assert sum(rises) > 0.9 * len(rises)


def test_where_one_may_stop_at_any_time_windows_lie_all_over_the_recording() -> None:
    together, spread = (
        [one.at for one in good_questions(PROFILE, HISTORY, count=100, seed=1, is_spread=is_spread) if one.at]
        for is_spread in (False, True)
    )
    assert together[1] - together[0] == 1
    assert spread[1] - spread[0] > 10


@pytest.mark.parametrize("rule_id", ["D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11", "C9"])
def test_windows_are_broken_in_every_rule(rule_id: str) -> None:
    of_it = [one for one in broken_questions(PROFILE, seed=1) if one.way.startswith(f"{rule_id} as ")]
    assert of_it
    for question in of_it:
        good = build(PROFILE.window, question.seconds, end_ns=END_NS)
        if question.breach is not None:
            assert broken_rules(PROFILE.window, question.breach.of(good), now_s=NOW_S)
        assert question.body(PROFILE.window, end_ns=END_NS) is not None
    assert len({question.way for question in of_it}) == len(of_it)
