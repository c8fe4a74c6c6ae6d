"""A jump needs a fixed band and 40 deviations: it is seldom a false alarm, and its three kinds are told apart."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.alerts.monitor.checks import PREDICTION_DOWN, PREDICTION_FRESH, PREDICTION_UP, SKILL
from harness.alerts.monitor.forecasts import Forecast, check_forecasts, check_skill, come_true
from harness.alerts.monitor.jumps import deviation, jumps
from harness.contract.profile import Monitor, load_profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROFILE = load_profile()
PROMISE = PROFILE.monitor
DAY_S, TICK_S, REMEMBERED_S = 86_400, 300, 900


def walk(seed: int, seconds: int, *, mad: float = 4e-5) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Simulate closes: moves with fat tails (Student's t, 3 degrees) and volatility that comes in clusters."""
    rng = np.random.default_rng(seed)
    heat = np.empty(seconds)
    level, shocks = 0.0, rng.normal(0, 0.03, seconds)
    for place in range(seconds):
        level = 0.995 * level + shocks[place]
        heat[place] = level
    moves = rng.standard_t(3, seconds) * np.exp(heat)
    moves *= mad / np.median(np.abs(moves))
    return 60_000.0 * np.exp(np.cumsum(moves))


def alarms(closes: Sequence[float], promise: Monitor) -> int:
    """Count the jumps that a monitor finds that runs every five minutes and remembers fifteen."""
    found = 0
    for end in range(TICK_S, len(closes) + 1, TICK_S):
        begin = max(0, end - REMEMBERED_S)
        prices = dict(zip(range(begin, end), closes[begin:end], strict=True))
        found += len(
            {jump.at_s for jump in jumps(prices, promise, since_s=end - TICK_S - 1) if jump.at_s >= end - TICK_S}
        )
    return found


def test_false_alarms_are_fewer_than_one_a_day_and_six_deviations_alone_give_hundreds() -> None:
    """Simulated: two days of a market that never jumps, looked at every five minutes."""
    days = 2
    closes = [float(close) for close in walk(1, days * DAY_S)]
    false_alarms = alarms(closes, PROMISE)
    assert false_alarms < days
    six_alone = replace(PROMISE, jump_band=0.0, jump_mads=6)
    assert alarms(closes[:DAY_S], six_alone) > 100
    forty_alone = replace(PROMISE, jump_band=0.0)
    band_alone = replace(PROMISE, jump_mads=0, jump_band=0.001)
    assert alarms(closes, forty_alone) > false_alarms
    assert alarms(closes, band_alone) > false_alarms


def test_a_feed_of_single_minutes_gives_few_false_alarms_either() -> None:
    """Between two windows lie four minutes that nobody saw: the price may have gone farther there."""
    closes, found = [float(close) for close in walk(2, 6 * DAY_S)], 0
    seen: dict[int, float] = {}
    for end in range(TICK_S, len(closes) + 1, TICK_S):
        seen |= dict(zip(range(end - 60, end), closes[end - 60 : end], strict=True))
        seen = dict(list(seen.items())[-REMEMBERED_S:])
        found += len(jumps(seen, PROMISE, since_s=end - TICK_S - 1))
    assert found < 6


def calm(seconds: int = 300, level: float = 60_000.0) -> dict[int, float]:
    return {at: level * (1 + 4e-5 * math.sin(at * 1.7)) for at in range(seconds)}


def shifted(prices: Mapping[int, float], begin: int, end: int, by: float = 10_000.0) -> dict[int, float]:
    return {at: price + by if begin <= at < end else price for at, price in prices.items()}


@pytest.mark.parametrize("by", [10_000.0, -10_000.0])
def test_ten_thousand_dollars_that_stay_are_a_level_shift(by: float) -> None:
    (jump,) = jumps(shifted(calm(), 150, 300, by), PROMISE, since_s=100)
    assert (jump.at_s, jump.kind, jump.is_up) == (150, "level shift", by > 0)
    assert jump.deviations > 1_000
    assert "level shift" in str(jump)


@pytest.mark.parametrize("lasts_s", [1, 3, 59])
def test_what_comes_back_was_a_spike_and_the_return_is_no_jump_of_its_own(lasts_s: int) -> None:
    (jump,) = jumps(shifted(calm(), 150, 150 + lasts_s), PROMISE, since_s=100)
    assert (jump.at_s, jump.kind, jump.changed_s) == (150, "spike and back", 150 + lasts_s)


def test_what_comes_back_later_was_a_level_and_comes_back_by_a_jump() -> None:
    assert [jump.kind for jump in jumps(shifted(calm(), 150, 220), PROMISE, since_s=100)] == ["level shift"] * 2


def test_at_the_end_nobody_knows_yet_and_the_kind_is_news_later() -> None:
    prices = shifted(calm(), 290, 400)
    (jump,) = jumps(prices, PROMISE, since_s=200)
    assert jump.kind == "not settled yet"
    later = shifted(calm(500), 290, 500)
    assert [jump.kind for jump in jumps(later, PROMISE, since_s=299)] == ["level shift"]
    assert jumps(later, PROMISE, since_s=350) == ()


def test_a_spike_whose_return_comes_in_the_next_run_is_the_same_spike() -> None:
    prices = shifted(calm(), 295, 305)
    assert [jump.kind for jump in jumps(prices, PROMISE, since_s=200)] == ["not settled yet"]
    later = shifted(calm(400), 295, 305)
    assert [(jump.kind, jump.is_up) for jump in jumps(later, PROMISE, since_s=299)] == [("spike and back", True)]


def test_a_move_over_unseen_seconds_has_a_stale_reference() -> None:
    prices = {at: price for at, price in shifted(calm(700), 400, 700).items() if not 250 <= at < 490}
    (jump,) = jumps(prices, PROMISE, since_s=300)
    assert (jump.kind, jump.age_s) == ("stale reference", 241)
    assert "241 s after the last price seen" in str(jump)
    crept = {at: price for at, price in shifted(calm(700), 400, 700, 900.0).items() if not 250 <= at < 490}
    assert jumps(crept, PROMISE, since_s=300) == ()


@pytest.mark.parametrize("share", [0.0099, 0.0101])
def test_the_band_is_needed_where_nothing_moved_before(share: float) -> None:
    prices = {at: 60_000.0 * (1 + share * (at >= 150)) for at in range(300)}
    assert deviation(prices) == 0
    assert len(jumps(prices, PROMISE, since_s=0)) == (share > 0.01)


def test_the_deviations_are_needed_in_a_wild_market() -> None:
    prices = {at: 60_000.0 * (1 + 5e-4 * math.sin(at * 1.7)) for at in range(300)}
    calm_jump = shifted(prices, 150, 300, 900.0)
    assert jumps(calm_jump, PROMISE, since_s=0) == ()
    assert len(jumps(calm_jump, replace(PROMISE, jump_mads=10), since_s=0)) == 1


def forecasts(prices: Mapping[int, float], *, wrong: Mapping[int, float] = {}) -> list[Forecast]:
    return [
        Forecast(as_of_s=at, close=close, predicted=wrong.get(at, close)) for at, close in prices.items() if at >= 250
    ]


@pytest.mark.parametrize(
    ("wrong", "check", "kind"),
    [
        (dict.fromkeys(range(250, 300), 66_000.0), PREDICTION_UP, "level shift"),
        (dict.fromkeys(range(250, 300), 54_000.0), PREDICTION_DOWN, "level shift"),
        ({270: 66_000.0}, PREDICTION_UP, "spike and back"),
        ({299: 66_000.0}, PREDICTION_UP, "not settled yet"),
    ],
)
def test_a_prediction_that_leaves_the_last_close_has_jumped(wrong: dict[int, float], check: object, kind: str) -> None:
    (finding,) = check_forecasts(forecasts(calm(), wrong=wrong), calm(), PROFILE).findings
    assert finding.check == check
    assert f"{len(wrong)} of 50 predictions" in finding.evidence
    assert kind in finding.evidence


def test_predictions_that_follow_a_price_of_long_ago_have_a_stale_reference() -> None:
    prices = shifted(calm(), 100, 300)
    old = dict.fromkeys(range(250, 300), 60_000.0)
    (finding,) = check_forecasts(forecasts(prices, wrong=old), prices, PROFILE).findings
    assert finding.check == PREDICTION_FRESH
    assert "50 of 50 predictions" in finding.evidence
    assert "it follows the price of 151 s before" in finding.evidence


def test_good_predictions_after_a_jump_of_the_market_are_well() -> None:
    prices = shifted(calm(), 260, 300)
    sight = check_forecasts(forecasts(prices), prices, PROFILE)
    assert sight.findings == ()
    assert len(sight.covered) == 3
    assert check_forecasts([], prices, PROFILE).covered == ()


@pytest.mark.parametrize(("noise", "wrong"), [(1.0, False), (2.5, True)])
def test_skill_is_held_against_persistence_over_the_last_minutes(noise: float, wrong: bool) -> None:  # noqa: FBT001 - a case
    closes = dict(enumerate(float(close) for close in walk(3, 901)))
    made = [
        Forecast(as_of_s=at, close=close, predicted=closes[at + 1] + noise * (close - closes[at + 1]))
        for at, close in closes.items()
        if at < 900 and at % 300 >= 250
    ]
    known = come_true(made, closes, horizon_s=1)
    assert all(one.truth == closes[one.as_of_s + 1] for one in known)
    sight = check_skill(known, PROFILE, now_s=900.0)
    assert sight.covered == (SKILL,)
    assert bool(sight.findings) == wrong
    assert check_skill(known[:100], PROFILE, now_s=900.0).covered == ()
    assert check_skill(known, PROFILE, now_s=1_900.0).covered == ()


def test_what_did_not_come_true_yet_is_not_known() -> None:
    made = [Forecast(as_of_s=9, close=1.0, predicted=1.0)]
    assert come_true(made, {9: 1.0}, horizon_s=1)[0].truth is None
