"""R1, P0 to P5: windows that keep every rule are answered, and rightly."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.contract.difference import Example
from harness.contract.good_windows import Way, each_way, ways
from harness.contract.judge import demand, judge_prediction, judge_same
from harness.contract.levels import level_in, quiet_in, series_in
from harness.contract.records import Window, build, content_type, last_whole_second_ns
from harness.contract.series import Second
from tests.data_quality.conftest import skip_where_implausible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Codec
    from harness.contract.vacuity import Tally
    from harness.system.client import Client
    from tests.data_quality.conftest import SendGood

pytestmark = pytest.mark.dq

LEVELS = [1.05, 7.3, 250.0, 7_200.0, 30_000.0, 100_000.0, 990_000.0]
# The least level of a series that moves a little, and how many times that is the greatest: as powers of it levels lie
# as densely among cheap coins as among dear ones.
LEAST, TIMES, STEPS = 1.05, 990_000 / 1.05, 24
QUIET = ("R1", "P0", "P1", "P3", "P5")


@pytest.mark.rule(*QUIET)
@pytest.mark.parametrize("codec", ["json", "csv"])
@pytest.mark.parametrize("level", LEVELS)
def test_any_price_level_is_answered(send_good: SendGood, profile: Profile, level: float, codec: Codec) -> None:
    """A good window MUST be answered at any price level, within 1 % of the last close."""
    window = _now(profile, series_in(profile, seed=7, seconds=profile.window.records, level=level))
    exchange = send_good(window, codec)
    demand(judge_prediction(window, exchange.answer, profile), exchange)


@pytest.mark.rule(*QUIET, "P2")
def test_a_quarter_of_a_decade_is_no_other_market(send_good: SendGood, profile: Profile) -> None:
    """At every level the prediction MUST lie within 1 % of the last close, and be the same as JSON and as CSV."""
    for step in range(STEPS + 1):
        level = LEAST * TIMES ** (step / STEPS)
        window = _now(profile, series_in(profile, seed=step, seconds=profile.window.records, level=level))
        asked = [(codec, send_good(window, codec)) for codec in profile.window.codecs]
        for codec, exchange in asked:
            demand(judge_prediction(window, exchange.answer, profile), exchange)
            demand(judge_same(asked[0][1].answer, exchange.answer, profile, what=f"as {codec} at {level:g}"), exchange)


@pytest.mark.rule(*QUIET)
def test_any_quiet_window_is_answered(send_good: SendGood, profile: Profile) -> None:
    """A good window MUST NOT be refused, however quiet or lively, whatever its price."""

    @given(
        seed=st.integers(0, 2**16),
        level=st.floats(0, 1).map(lambda share: LEAST * TIMES**share),
        volatility=st.sampled_from([0.0, 1e-6, 4e-5, 2e-4]),
        silent_share=st.sampled_from([0.0, 0.3, 0.95, 1.0]),
        codec=st.sampled_from(profile.window.codecs),
    )
    def check(seed: int, level: float, volatility: float, silent_share: float, codec: Codec) -> None:
        count = profile.window.records
        seconds = series_in(
            profile, seed=seed, seconds=count, level=level, volatility=volatility, silent_share=silent_share
        )
        window = _now(profile, seconds)
        exchange = send_good(window, codec)
        demand(judge_prediction(window, exchange.answer, profile), exchange)

    check()


@pytest.mark.rule(*QUIET)
@pytest.mark.parametrize("price", [1.0, 1, 7.1e3, 0.1 + 7_000, 1_000_000.0, 1_000_000])
@pytest.mark.parametrize("codec", ["json", "csv"])
def test_a_constant_price_is_answered(send_good: SendGood, profile: Profile, price: float, codec: Codec) -> None:
    """Constant prices, whole numbers and long decimals make a good window."""
    window = _now(profile, [_flat(level_in(profile.window, price))] * profile.window.records)
    exchange = send_good(window, codec)
    demand(judge_prediction(window, exchange.answer, profile), exchange)


# How a close follows from the one before it: as far as a quiet window may move within a second, and no farther.
LIVELY: dict[str, Callable[[int, int], float]] = {
    "rises": lambda *_: 1.0095,
    "falls": lambda *_: 1 / 1.0095,
    "goes to and fro": lambda place, _: 1.0095 if place % 2 else 1 / 1.0095,
    "moves once": lambda place, count: 1.0095 if place == count // 2 else 1.0,
    "moves at last": lambda place, count: 1 / 1.0095 if place == count - 1 else 1.0,
}


@pytest.mark.rule(*QUIET)
@pytest.mark.parametrize("follows", LIVELY.values(), ids=LIVELY.keys())
@pytest.mark.parametrize("level", [2.0, 30_000.0, 500_000.0])
def test_a_quiet_window_may_move_by_almost_1_percent(
    send_good: SendGood, profile: Profile, level: float, follows: Callable[[int, int], float]
) -> None:
    """Where nothing moves by over 1 % from one to the next, however far in all, the window MUST count as quiet."""
    closes, count = [level_in(profile.window, level)], profile.window.records
    for place in range(1, count):
        closes.append(closes[-1] * quiet_in(profile.prediction, follows(place, count)))
    window = _now(profile, [_from_to(*pair) for pair in zip([closes[0], *closes], closes, strict=False)])
    skip_where_implausible(profile, window)
    exchange = send_good(window)
    demand(judge_prediction(window, exchange.answer, profile), exchange)


@pytest.mark.rule("R1", "P0", "P1")
@pytest.mark.parametrize(("volume", "count"), [(0.0, 5), (1e-12, 1), (1e15, 1), (1.0, 2**31), (1.0, 2**53)])
@pytest.mark.parametrize("codec", ["json", "csv"])
def test_any_volume_and_any_number_of_trades_is_answered(
    send_good: SendGood, profile: Profile, volume: float, count: int, codec: Codec
) -> None:
    """Volumes and numbers of trades are bounded by 0 alone, and what was traded may be less than a digit shows."""
    seconds = series_in(profile, seed=7, seconds=profile.window.records, silent_share=0.0)
    middle = len(seconds) // 2
    seconds[middle] = replace(seconds[middle], volume=volume, count=count)
    window = _now(profile, seconds)
    exchange = send_good(window, codec)
    demand(judge_prediction(window, exchange.answer, profile), exchange)


@pytest.mark.rule("R1")
def test_unknown_fields_and_floats_for_whole_numbers_are_taken(
    send_good: SendGood, profile: Profile, fresh_window: Callable[[], Window]
) -> None:
    """Unknown fields MUST be ignored, and `1.0` is a whole number."""
    whole = profile.window.of_kind("integer")
    records = [
        {**record, "exchange": "x", "note": None, **{name: float(str(record[name])) for name in whole}}
        for record in fresh_window().records
    ]
    window = Window(records=tuple(records))
    exchange = send_good(window)
    demand([v for v in judge_prediction(window, exchange.answer, profile) if v.rule == "R1"], exchange)


@pytest.mark.rule(*QUIET, "P2")
def test_a_good_window_is_answered_in_whatever_way_it_is_sent(
    client: Client, send_good: SendGood, tally: Tally, profile: Profile, fresh_window: Callable[[], Window]
) -> None:
    """Any order, unknown fields, exponents, long decimals, fractions of any length: a good window MUST be answered."""

    def send(way: Way, codec: Codec) -> None:
        good = fresh_window()
        exchange = client.invoke(way.body(profile.window, good, codec), content_type(profile.window, codec))
        tally.note_good(exchange.answer.status)
        sent = way.window(good)
        example = Example(says=way.says, good=good, sent=sent)
        demand(judge_prediction(sent, exchange.answer, profile), exchange, example)
        plain = send_good(sent)
        demand(judge_same(plain.answer, exchange.answer, profile, what=way.says), exchange, example)

    @given(way=ways(profile.window), data=st.data())
    def check(way: Way, data: st.DataObject) -> None:
        codecs = [codec for codec in way.codecs if codec in profile.window.codecs]
        assume(codecs)
        send(way, data.draw(st.sampled_from(codecs), label="as"))

    for way in each_way(profile.window):
        for codec in [codec for codec in way.codecs if codec in profile.window.codecs]:
            send(way, codec)
    check()


def _now(profile: Profile, seconds: Sequence[Second]) -> Window:
    return build(profile.window, seconds, end_ns=last_whole_second_ns(time.time()))


def _from_to(before: float, after: float) -> Second:
    return replace(_flat(before), close=after, high=max(before, after), low=min(before, after))


def _flat(price: float) -> Second:
    return Second(
        open=price, high=price, low=price, close=price, volume=0.5, count=1, first_event_ns=0, last_event_ns=500_000_000
    )
