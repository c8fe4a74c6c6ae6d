import math
from itertools import pairwise

import pytest

from harness.contract.series import SECOND_NS, Second, generate

LEVELS = (1.0, 7.3, 999.0, 30_000.0, 1_000_000.0)


def test_the_same_seed_gives_the_same_series() -> None:
    assert generate(seed=7, seconds=200) == generate(seed=7, seconds=200)
    assert generate(seed=7, seconds=200) != generate(seed=8, seconds=200)


def test_a_longer_series_begins_as_the_shorter_one_does() -> None:
    assert generate(seed=7, seconds=300)[:100] == generate(seed=7, seconds=100)


def test_a_known_seed_gives_known_prices_on_every_python() -> None:
    closes = [second.close for second in generate(seed=1, seconds=5)]
    assert closes == [30076.53, 30071.15, 30071.84, 30076.09, 30075.06]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("volatility", [0.0, 4e-5, 1e-3])
def test_prices_never_cross_nor_fall_below_the_level(level: float, volatility: float) -> None:
    for second in generate(seed=3, seconds=500, level=level, volatility=volatility):
        assert level <= second.low <= min(second.open, second.close)
        assert max(second.open, second.close) <= second.high


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("volatility", [4e-5, 1.9e-3])
def test_no_second_moves_by_more_than_half_a_percent(level: float, volatility: float) -> None:
    series = generate(seed=5, seconds=2_000, level=level, volatility=volatility)
    assert all(second.high / second.low <= 1.005 for second in series)
    closes = [second.close for second in series]
    assert all(abs(later / earlier - 1) <= 0.005 for earlier, later in pairwise(closes))


@pytest.mark.parametrize("level", LEVELS)
def test_prices_keep_apart_at_every_level(level: float) -> None:
    closes = {second.close for second in generate(seed=11, seconds=200, level=level, silent_share=0.0)}
    assert len(closes) > 100


def test_a_silent_second_carries_the_last_close_forward() -> None:
    series = generate(seed=2, seconds=500)
    silent = [(before, second) for before, second in pairwise(series) if second.count == 0]
    assert 100 < len(silent) < 200
    for before, second in silent:
        assert second == _carried(before.close)


def test_events_lie_inside_their_second_and_in_order() -> None:
    for second in generate(seed=4, seconds=500, silent_share=0.0):
        assert 0 <= second.first_event_ns <= second.last_event_ns < SECOND_NS
        assert second.count >= 1
        assert second.volume > 0
        assert second.count > 1 or second.first_event_ns == second.last_event_ns


def test_without_volatility_the_series_is_flat() -> None:
    prices = {second.close for second in generate(seed=6, seconds=100, level=123.45, volatility=0.0)}
    assert prices == {123.45}


def test_moves_bounce_back_so_that_there_is_something_to_learn() -> None:
    closes = [second.close for second in generate(seed=9, seconds=5_000)]
    moves = [math.log(later / earlier) for earlier, later in pairwise(closes)]
    bounce = sum(a * b for a, b in pairwise(moves)) / sum(move * move for move in moves)
    assert -0.5 < bounce < -0.15


@pytest.mark.parametrize(
    "arguments",
    [{"seconds": -1}, {"level": 0.5}, {"volatility": -1e-5}, {"volatility": 0.01}, {"silent_share": 1.1}],
)
def test_a_series_that_cannot_be_is_refused_with_its_arguments(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no series of"):
        generate(**{"seed": 1, "seconds": 10, **arguments})  # type: ignore[arg-type]


def _carried(close: float) -> Second:
    return Second(
        open=close, high=close, low=close, close=close, volume=0.0, count=0, first_event_ns=0, last_event_ns=SECOND_NS
    )
