"""D2, D3, D5, D9, D10, R1: the edges of the data rules, one by one."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import pytest

from harness.contract.data_rules import CLOCK_SLACK_S, allowed_dimensions, broken_rules
from harness.contract.difference import Example
from harness.contract.judge import UNPROCESSABLE, Violation, demand, judge_prediction, judge_refusal
from harness.contract.levels import series_in
from harness.contract.records import Window, build, last_whole_second_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.contract.profile import Profile, WindowRule
    from harness.contract.records import Codec, Record
    from harness.contract.series import Second
    from harness.system.client import Client
    from tests.data_quality.conftest import SendGood

pytestmark = pytest.mark.dq

# So often a window goes out where it grows too old on its way, as on a machine that stands still.
TRIES = 3
Age: TypeAlias = "Callable[[WindowRule], float]"
YOUNG: dict[str, Age] = {
    "new": lambda _: 0,
    "half as old as may be": lambda rule: rule.max_age_s / 2,
    "5 s younger than may be": lambda rule: rule.max_age_s - 5,
    "3 s younger than may be": lambda rule: rule.max_age_s - CLOCK_SLACK_S - 1,
}
LATE: dict[str, tuple[str, Age]] = {
    "3 s too old": ("D9", lambda rule: rule.max_age_s + 3),
    "half as old again": ("D9", lambda rule: rule.max_age_s * 1.5 + 3),
    "60 times too old": ("D9", lambda rule: rule.max_age_s * 60),
    "3 s too far ahead": ("D10", lambda rule: -rule.max_ahead_s - 3),
    "far ahead": ("D10", lambda rule: -rule.max_ahead_s - 88),
}
# How many records, where there must be so many.
OTHER_COUNTS: dict[str, Callable[[int], int]] = {
    "none": lambda _: 0,
    "one": lambda _: 1,
    "one too few": lambda count: count - 1,
    "one too many": lambda count: count + 1,
    "twice as many": lambda count: 2 * count,
}
# Where constant prices lie in the range that is plausible.
EDGES: dict[str, Callable[[float, float], float]] = {
    "the least, whole": lambda low, _: int(low) if low == int(low) else low,
    "the least": lambda low, _: float(low),
    "a hair above the least": lambda low, _: low * 1.000001,
    "a hair below the most": lambda _, high: high * 0.999999999,
    "the most": lambda _, high: int(high) if high == int(high) else high,
}
# Moments at which a calendar is easily got wrong; a window that ends there is stale, and nothing else.
MOMENTS = {
    "a leap day": datetime(2024, 2, 29, 12, tzinfo=UTC),
    "the end of a leap day": datetime(2024, 3, 1, tzinfo=UTC),
    "midnight": datetime(2025, 6, 15, 0, 0, 30, tzinfo=UTC),
    "the end of a year": datetime(2025, 1, 1, 0, 0, 30, tzinfo=UTC),
    "the end of a month": datetime(2025, 5, 1, 0, 0, 1, tzinfo=UTC),
    "the leap day of 2000": datetime(2000, 2, 29, 23, 59, 59, tzinfo=UTC),
}


@pytest.mark.rule("R1", "D9")
@pytest.mark.parametrize("age", YOUNG.values(), ids=YOUNG.keys())
@pytest.mark.parametrize("codec", ["json", "csv"])
def test_a_window_young_enough_is_taken(send_good: SendGood, profile: Profile, age: Age, codec: Codec) -> None:
    """A window whose newest record is young enough (60 s by default) MUST be answered; 3 s are left to the way."""
    _demand_answered(send_good, profile, _calm(profile), age_s=age(profile.window), codec=codec)


@pytest.mark.rule("R1", "D10")
def test_a_window_a_second_ahead_is_taken(send_good: SendGood, profile: Profile) -> None:
    """A window that ends no farther in the future than may be (2 s by default) MUST be answered."""
    _demand_answered(send_good, profile, _calm(profile), age_s=-profile.window.max_ahead_s / 2)


@pytest.mark.parametrize(
    ("age", "rule"),
    [pytest.param(age, rule, marks=pytest.mark.rule(rule), id=f"{rule}-{says}") for says, (rule, age) in LATE.items()],
)
def test_a_window_out_of_time_is_refused(client: Client, profile: Profile, age: Age, rule: str) -> None:
    """A window that is too old (60 s by default), or too far ahead (2 s), MUST be refused."""
    _demand_refused(client, profile, _at(profile, _calm(profile), time.time() - age(profile.window)), rule)


@pytest.mark.rule("D9")
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_the_calendar_is_read_right(client: Client, profile: Profile, moment: datetime) -> None:
    """A window at a leap day, midnight or a year's end is well-formed: it MUST be refused for its age alone."""
    _demand_refused(client, profile, _at(profile, _calm(profile), moment.timestamp()), "D9")


@pytest.mark.rule("D2")
@pytest.mark.parametrize("day", ["2023-02-29", "2024-02-30", "2100-02-29", "2025-04-31", "2025-00-10", "2025-01-00"])
def test_a_day_that_never_was_is_refused(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], day: str
) -> None:
    """A timestamp MUST name a real time."""
    name, good = profile.window.named("last_event", "end"), fresh_window()
    if name not in profile.window.sent:
        pytest.skip(f"no JSON body holds {name!r}")
    middle = len(good.records) // 2
    sent = _changed(good, middle, lambda record: {**record, name: f"{day}{str(record[name])[10:]}"})
    example = Example(says=f"record {middle}: {name} on {day}", good=good, sent=sent)
    _demand_refused(client, profile, sent, "D2", example=example)


@pytest.mark.rule("D5")
@pytest.mark.parametrize("other", OTHER_COUNTS.values(), ids=OTHER_COUNTS.keys())
@pytest.mark.parametrize("codec", ["json", "csv"])
def test_another_number_of_records_is_refused(
    client: Client, profile: Profile, other: Callable[[int], int], codec: Codec
) -> None:
    """A window MUST have exactly as many records as the profile says (60 by default)."""
    seconds = series_in(profile, seed=2, seconds=other(profile.window.records))
    window = _at(profile, seconds, time.time())
    _demand_refused(client, profile, window, "D5", codec=codec)


@pytest.mark.rule("R1", "D3")
def test_high_may_be_low_and_volume_nothing(send_good: SendGood, profile: Profile) -> None:
    """Prices that are equal, volumes and counts of 0 keep every rule."""
    seconds = series_in(profile, seed=2, seconds=profile.window.records, silent_share=1.0)
    _demand_answered(send_good, profile, seconds)


@pytest.mark.rule("R1", "D11")
@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES.keys())
def test_prices_at_the_edge_of_the_plausible_are_taken(
    client: Client, profile: Profile, edge: Callable[[float, float], float]
) -> None:
    """Prices inside the plausible range, its ends too, MUST be taken."""
    limits = profile.window.fields[profile.window.target].plausible
    if limits is None:
        pytest.skip("the profile calls every price plausible")
    price = edge(limits[0], limits[1])
    seconds = [replace(s, open=price, high=price, low=price, close=price) for s in _calm(profile)]
    exchange = client.predict(_at(profile, seconds, time.time()))
    wrong = Violation(rule="R1", expected=f"200 to a price of {price!r}", actual=str(exchange.answer.status))
    demand([] if exchange.answer.status == 200 else [wrong], exchange)


@pytest.mark.rule("P0")
@pytest.mark.parametrize("digits", [0, 3, 6, 9])
@pytest.mark.parametrize("codec", ["json", "csv"])
def test_as_of_is_the_newest_end_as_it_was_sent(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], digits: int, codec: Codec
) -> None:
    """`as_of` MUST be the newest record's end as sent, with as many fraction digits."""
    end = profile.window.named("end")
    fraction = f".{'0' * digits}" if digits else ""
    window = _changed(
        fresh_window(),
        profile.window.records - 1,
        lambda record: {**record, end: f"{str(record[end])[:19]}{fraction}Z"},
    )
    exchange = client.predict(window, codec)
    demand([v for v in judge_prediction(window, exchange.answer, profile) if v.rule in ("R1", "P0")], exchange)


def _calm(profile: Profile) -> list[Second]:
    return series_in(profile, seed=2, seconds=profile.window.records)


def _at(profile: Profile, seconds: Sequence[Second], end_s: float) -> Window:
    return build(profile.window, seconds, end_ns=last_whole_second_ns(end_s))


def _changed(window: Window, place: int, change: Callable[[Record], Record]) -> Window:
    records = window.editable()
    records[place] = change(records[place])
    return Window(records=tuple(records))


def _demand_answered(
    send_good: SendGood, profile: Profile, seconds: Sequence[Second], *, age_s: float = 0.0, codec: Codec = "json"
) -> None:
    """Demand an answer to a window of an age; one that grew too old on its way says nothing, and goes out again."""
    for tries_left in reversed(range(TRIES)):
        window = _at(profile, seconds, time.time() - age_s)
        exchange = send_good(window, codec)
        if not broken_rules(profile.window, window, now_s=time.time()) or not tries_left:
            demand(judge_prediction(window, exchange.answer, profile), exchange)
            return


def _demand_refused(
    client: Client,
    profile: Profile,
    window: Window,
    rule: str,
    *,
    codec: Codec = "json",
    example: Example | None = None,
) -> None:
    broken = broken_rules(profile.window, window, now_s=time.time())
    exchange = client.predict(window, codec)
    allowed = allowed_dimensions(broken | broken_rules(profile.window, window, now_s=time.time()) | {rule})
    found = judge_refusal(exchange.answer, profile.refusals, rule=rule, status=[UNPROCESSABLE], dimensions=allowed)
    # The error's body has a check of its own: here only the refusal and its dimension count.
    demand([violation for violation in found if violation.rule == rule], exchange, example)
