"""R1, P0 to P5: windows that keep every rule are answered, and rightly."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract.judge import Violation, demand, judge_prediction, prediction_of
from harness.contract.records import Window, build, last_whole_second_ns
from harness.contract.series import Second, generate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Codec
    from harness.system.client import Client, Exchange

pytestmark = pytest.mark.dq

LEVELS = [1.05, 7.3, 250.0, 7_200.0, 30_000.0, 100_000.0, 990_000.0]
QUIET = ("R1", "P0", "P1", "P3", "P5")


@pytest.mark.rule(*QUIET)
@pytest.mark.parametrize("codec", ["json", "csv"])
@pytest.mark.parametrize("level", LEVELS)
def test_any_price_level_is_answered(client: Client, profile: Profile, level: float, codec: Codec) -> None:
    """A good window MUST be answered at any price level, within 1 % of the last close."""
    window = _now(profile, generate(seed=7, seconds=profile.window.records, level=level))
    exchange = client.predict(window, codec)
    demand(judge_prediction(window, exchange.answer, profile), exchange)


@pytest.mark.rule(*QUIET)
def test_any_quiet_window_is_answered(client: Client, profile: Profile) -> None:
    """A good window MUST NOT be refused, however quiet or lively, whatever its price."""

    @given(
        seed=st.integers(0, 2**16),
        level=st.floats(1.05, 990_000),
        volatility=st.sampled_from([0.0, 1e-6, 4e-5, 2e-4]),
        silent_share=st.sampled_from([0.0, 0.3, 0.95, 1.0]),
        codec=st.sampled_from(["json", "csv"]),
    )
    def check(seed: int, level: float, volatility: float, silent_share: float, codec: Codec) -> None:
        seconds = generate(
            seed=seed, seconds=profile.window.records, level=level, volatility=volatility, silent_share=silent_share
        )
        window = _now(profile, seconds)
        exchange = client.predict(window, codec)
        demand(judge_prediction(window, exchange.answer, profile), exchange)

    check()


@pytest.mark.rule(*QUIET)
@pytest.mark.parametrize("price", [1.0, 1, 7.1e3, 0.1 + 7_000, 1_000_000.0, 1_000_000])
def test_a_constant_price_is_answered(client: Client, profile: Profile, price: float) -> None:
    """Constant prices, whole numbers and long decimals make a good window."""
    window = _now(profile, [_flat(price)] * profile.window.records)
    exchange = client.predict(window)
    demand(judge_prediction(window, exchange.answer, profile), exchange)


@pytest.mark.rule("R1")
def test_unknown_fields_and_floats_for_whole_numbers_are_taken(
    client: Client, profile: Profile, fresh_window: Callable[[], Window]
) -> None:
    """Unknown fields MUST be ignored, and `1.0` is a whole number."""
    whole = profile.window.of_kind("integer")
    records = [
        {**record, "exchange": "x", "note": None, **{name: float(str(record[name])) for name in whole}}
        for record in fresh_window().records
    ]
    window = Window(records=tuple(records))
    exchange = client.predict(window)
    demand([v for v in judge_prediction(window, exchange.answer, profile) if v.rule == "R1"], exchange)


@pytest.mark.rule("P5")
@pytest.mark.parametrize("direction", [1, -1], ids=["up", "down"])
@pytest.mark.parametrize("place", [1, 30, 59])
def test_a_jump_of_10_000_is_flagged(client: Client, profile: Profile, direction: int, place: int) -> None:
    """A jump of $10,000 within a second MUST be answered, flagged, and predicted within 5 % of the last close."""
    calm = generate(seed=3, seconds=profile.window.records, level=30_000.0)
    jumped = [*calm[:place], *(_lifted(second, direction * 10_000) for second in calm[place:])]
    window = _now(profile, jumped)
    exchange = client.predict(window)
    found = judge_prediction(window, exchange.answer, profile)
    # Refusing the window breaks the promise about jumps, not the one about good windows.
    demand([replace(violation, rule="P5") if violation.rule == "R1" else violation for violation in found], exchange)


@pytest.mark.rule("P4")
def test_predictions_are_no_worse_than_persistence(client: Client, profile: Profile, series: Sequence[Second]) -> None:
    """Over a series the error MUST be no worse than 1.5 times that of persistence, as RMSE."""
    count, steps = profile.window.records, min(300, len(series) - profile.window.records - 1)
    first = max(0, (len(series) - count - steps - 1) // 2)
    ours = naive = 0.0
    exchange: Exchange | None = None
    for begin in range(first, first + steps):
        seconds = series[begin : begin + count]
        exchange = client.predict(_now(profile, seconds))
        predicted = prediction_of(exchange.answer)
        truth = series[begin + count].close
        wrong = Violation(rule="P4", expected="a prediction to compare", actual=str(exchange.answer.status))
        demand([wrong] if predicted is None else [], exchange)
        ours += ((predicted or 0.0) - truth) ** 2
        naive += (seconds[-1].close - truth) ** 2
    rmse, persistence = (ours / steps) ** 0.5, (naive / steps) ** 0.5
    limit = profile.prediction.skill_limit
    actual = f"RMSE {rmse:.6g} where persistence has {persistence:.6g} over {steps} windows"
    wrong = Violation(rule="P4", expected=f"RMSE at most {limit:g} times that of persistence", actual=actual)
    demand([wrong] if rmse > limit * persistence else [], exchange)


def _now(profile: Profile, seconds: Sequence[Second]) -> Window:
    return build(profile.window, seconds, end_ns=last_whole_second_ns(time.time()))


def _flat(price: float) -> Second:
    return Second(
        open=price, high=price, low=price, close=price, volume=0.5, count=1, first_event_ns=0, last_event_ns=500_000_000
    )


def _lifted(second: Second, by: float) -> Second:
    prices = {role: round(getattr(second, role) + by, 2) for role in ("open", "high", "low", "close")}
    return replace(second, **prices)
