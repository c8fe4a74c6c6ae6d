"""P5: prices that jump within a second, as they do at three in the morning."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.contract.difference import Example
from harness.contract.judge import demand, judge_prediction
from harness.contract.levels import jump_in, level_in, series_in
from harness.contract.records import build, last_whole_second_ns
from harness.contract.series import Second
from tests.data_quality.conftest import skip_where_implausible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Codec
    from tests.data_quality.conftest import SendGood

pytestmark = pytest.mark.dq

LEVEL = 30_000.0


def step(calm: Sequence[Second], place: int, by: float) -> list[Second]:
    """Jump at a place, and stay there."""
    return [*calm[:place], *(_lifted(second, by) for second in calm[place:])]


def spike(calm: Sequence[Second], place: int, by: float) -> list[Second]:
    """Jump for one second, and come back."""
    return [*calm[:place], _lifted(calm[place], by), *calm[place + 1 :]]


def there_and_back_later(calm: Sequence[Second], place: int, by: float) -> list[Second]:
    """Jump for ten seconds, and come back."""
    lifted = [_lifted(second, by) for second in calm[place : place + 10]]
    return [*calm[:place], *lifted, *calm[place + 10 :]]


@pytest.mark.rule("P5", "P0", "P1")
@pytest.mark.parametrize("codec", ["json", "csv"])
@pytest.mark.parametrize("shape", [step, spike, there_and_back_later])
@pytest.mark.parametrize("usd", [10_000, -10_000], ids=["up", "down"])
@pytest.mark.parametrize("place", ["second", "middle", "last"])
def test_a_jump_of_10_000_is_flagged(
    send_good: SendGood,
    profile: Profile,
    *,
    shape: Callable[..., list[Second]],
    usd: float,
    place: str,
    codec: Codec,
) -> None:
    """A jump of $10,000 within a second MUST be answered, flagged, and predicted within 5 % of the last close."""
    calm = _calm(profile, LEVEL)
    moved = shape(calm, _place(profile, place), _by(profile, LEVEL, 1 + usd / LEVEL))
    _demand_right(send_good, profile, moved, calm=calm, codec=codec)


@pytest.mark.rule("P5", "P0", "P1")
@pytest.mark.parametrize("level", [2.0, 250.0, 7_200.0, 100_000.0, 700_000.0])
@pytest.mark.parametrize("share", [1 / 3, -1 / 3, 0.08, -0.08], ids=["third up", "third down", "8 % up", "8 % down"])
def test_a_jump_is_flagged_at_any_level(send_good: SendGood, profile: Profile, level: float, share: float) -> None:
    """A jump in proportion MUST be answered, flagged, and predicted within 5 % of the last close, at any level."""
    calm = _calm(profile, level)
    moved = step(calm, _place(profile, "two thirds"), _by(profile, level, 1 + share))
    _demand_right(send_good, profile, moved, calm=calm)


@pytest.mark.rule("P5", "P0", "P1")
@pytest.mark.parametrize("factor", [1.0527, 0.9499, 2.5, 0.4, 25.0, 0.04, 1_000.0])
@pytest.mark.parametrize("place", ["second", "last"])
def test_a_jump_is_flagged_however_far(send_good: SendGood, profile: Profile, factor: float, place: str) -> None:
    """Whatever differs by more than 5 %, just so or a thousand times, MUST be answered and flagged."""
    level = 40.0 if factor > 1 else 40_000.0
    steady = [_steady(level_in(profile.window, level))] * profile.window.records
    moved = step(steady, _place(profile, place), _by(profile, level, factor))
    _demand_right(send_good, profile, moved, calm=steady)


@pytest.mark.rule("R1", "P0", "P1")
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_second_that_spans_much_is_answered(send_good: SendGood, profile: Profile, place: str) -> None:
    """A high and a low far from open and close keep every rule: such a window MUST be answered, flagged or not."""
    calm, at, level = _calm(profile, LEVEL), _place(profile, place), level_in(profile.window, LEVEL)
    wide = [*calm[:at], replace(calm[at], high=2 * level, low=level / 2), *calm[at + 1 :]]
    _demand_right(send_good, profile, wide, calm=calm, rule="R1")


@pytest.mark.rule("R1", "P0", "P1")
@pytest.mark.parametrize("share", [0.02, 0.04, -0.04], ids=["2 %", "4 % up", "4 % down"])
def test_a_move_that_is_no_jump_is_answered(send_good: SendGood, profile: Profile, share: float) -> None:
    """A move between 1 % and 5 % is a good window: it MUST be answered, flagged or not."""
    calm = _calm(profile, LEVEL)
    moved = step(calm, _place(profile, "two thirds"), _by(profile, LEVEL, 1 + share))
    _demand_right(send_good, profile, moved, calm=calm, rule="R1")


def _demand_right(
    send_good: SendGood,
    profile: Profile,
    moved: Sequence[Second],
    *,
    calm: Sequence[Second],
    rule: str = "P5",
    codec: Codec = "json",
) -> None:
    end_ns = last_whole_second_ns(time.time())
    good, window = (build(profile.window, seconds, end_ns=end_ns) for seconds in (calm, moved))
    skip_where_implausible(profile, window)
    exchange = send_good(window, codec)
    found = judge_prediction(window, exchange.answer, profile)
    # Refusing a window with a jump breaks the promise about jumps, not the one about good windows.
    found = [replace(violation, rule=rule) if violation.rule == "R1" else violation for violation in found]
    demand(found, exchange, Example(says="prices that move", good=good, sent=window))


def _calm(profile: Profile, level: float) -> list[Second]:
    # In each of them there are trades: a second without any has the last close for its price, and cannot jump.
    return series_in(profile, seed=3, seconds=profile.window.records, level=level, silent_share=0.0)


def _place(profile: Profile, name: str) -> int:
    """Return which record a name means."""
    count = profile.window.records
    return {"first": 0, "second": 1, "middle": count // 2, "two thirds": count * 2 // 3, "last": count - 1}[name]


def _by(profile: Profile, level: float, factor: float) -> float:
    """Return how far prices at a level move where they move by a factor, if a move of 5 % is a jump."""
    return level_in(profile.window, level) * (jump_in(profile.prediction, factor) - 1)


def _steady(price: float) -> Second:
    return Second(
        open=price, high=price, low=price, close=price, volume=0.5, count=1, first_event_ns=0, last_event_ns=500_000_000
    )


def _lifted(second: Second, by: float) -> Second:
    prices = {role: round(getattr(second, role) + by, 6) for role in ("open", "high", "low", "close")}
    return replace(second, **prices)
