"""P2, P3, P4: skill over a series, and that a prediction follows from its window alone."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import Violation, demand, judge_prediction, judge_same, prediction_of
from harness.contract.levels import level_in, series_in
from harness.contract.records import build, encode, last_whole_second_ns
from harness.contract.series import Second
from harness.contract.skill import Skill, Undecidable, skill_of
from harness.contract.verdict import Verdict
from harness.options import CHOICE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.contract.vacuity import Tally
    from harness.system.client import Client, Exchange
    from tests.data_quality.conftest import SendGood

pytestmark = pytest.mark.dq

# So many windows tell most predictors from one that is too bad; where they do not, so many more are asked.
WINDOWS, MORE_WINDOWS = 360, 720
STRETCHES = 4
THREADS = 4
LEVEL = 30_000.0
OTHERS = {"quick": 100, "normal": 1_000, "thorough": 1_000}


@pytest.mark.rule("P4")
def test_predictions_are_no_worse_than_persistence(
    fresh_client: Callable[[], Client], profile: Profile, series: Sequence[Second], tally: Tally
) -> None:
    """Over a series the error MUST be no worse than 1.5 times that of persistence, as RMSE."""
    skill = _skill(fresh_client, profile, series, tally, windows=WINDOWS)
    if skill.verdict is Verdict.UNKNOWN:
        skill = _skill(fresh_client, profile, series, tally, windows=MORE_WINDOWS)
    if skill.verdict is Verdict.UNKNOWN:
        raise Undecidable(str(skill))
    expected = f"RMSE at most {skill.limit:g} times that of persistence"
    wrong = Violation(rule="P4", expected=expected, actual=str(skill))
    demand([wrong] if skill.verdict is Verdict.FAILED else [])


def _skill(
    fresh_client: Callable[[], Client], profile: Profile, series: Sequence[Second], tally: Tally, *, windows: int
) -> Skill:
    """Have so many windows of the series answered, and compare with what came next."""
    count = profile.window.records
    begins = list(_begins(len(series) - count, windows))
    windows_sent = [build(profile.window, series[at : at + count], end_ns=_now_ns()) for at in begins]
    exchanges = list(_ask(fresh_client, windows_sent).values())
    for exchange in exchanges:
        tally.note_good(exchange.answer.status)
    predictions = [prediction_of(exchange.answer, profile) for exchange in exchanges]
    silent = next((one for one, found in zip(exchanges, predictions, strict=True) if found is None), None)
    wrong = Violation(rule="P4", expected="a prediction to compare", actual=str(silent and silent.answer.status))
    demand([wrong] if silent is not None else [], silent)
    last = [series[at + count - 1].close for at in begins]
    truths = [series[at + count].close for at in begins]
    return skill_of([found or 0.0 for found in predictions], last, truths, limit=profile.prediction.skill_limit)


@pytest.mark.rule("P3")
@pytest.mark.parametrize("factor", [1 / 3_000, 0.1, 3.0, 30.0])
def test_prices_times_k_give_a_prediction_times_k(send_good: SendGood, profile: Profile, factor: float) -> None:
    """At any price level the prediction MUST lie within 1 % of the last close: so it scales with the prices."""
    calm = series_in(profile, seed=11, seconds=profile.window.records, level=LEVEL)
    factor = level_in(profile.window, LEVEL * factor) / level_in(profile.window, LEVEL)
    share = profile.prediction.quiet_tolerance
    tolerance = (1 + share) / (1 - share) - 1  # one at the upper end, the other at the lower
    plain, scaled = (send_good(_window(profile, [_times(second, k) for second in calm])) for k in (1.0, factor))
    before, after = prediction_of(plain.answer, profile), prediction_of(scaled.answer, profile)
    is_kept = before is not None and after is not None and abs(after / (before * factor) - 1) <= tolerance
    expected = f"a prediction within {tolerance:.2%} of {(before or 0.0) * factor:g}"
    demand([] if is_kept else [Violation(rule="P3", expected=expected, actual=str(after))], scaled)


@pytest.mark.rule("P2")
@pytest.mark.codec("json")
def test_what_stands_after_a_window_changes_nothing(client: Client, profile: Profile, send_good: SendGood) -> None:
    """The same window MUST give the same prediction, with blanks or a line end after it too."""
    window = _window(profile, series_in(profile, seed=12, seconds=profile.window.records))
    plain = send_good(window)
    for what, text in {"with a line end": b"\n", "with blanks": b"  \r\n\t "}.items():
        exchange = client.invoke(encode(profile.window, window, "json") + text)
        demand(judge_same(plain.answer, exchange.answer, profile, what=what), exchange)


@pytest.mark.rule("P2", "P6")
def test_a_thousand_others_change_nothing(
    request: pytest.FixtureRequest, fresh_client: Callable[[], Client], profile: Profile, send_good: SendGood
) -> None:
    """The same window MUST give the same prediction after 1,000 others, and each of those as well.

    Where they take long, only as many are sent as are answered before the window is old.
    """
    begin_s, age_s = time.monotonic(), profile.window.max_age_s
    window = _window(profile, series_in(profile, seed=13, seconds=profile.window.records))
    first = send_good(window)
    demand(judge_prediction(window, first.answer, profile), first)
    half = OTHERS[request.config.stash[CHOICE].effort] // 2
    market = series_in(profile, seed=14, seconds=profile.window.records + half, level=700.0)
    others = [_window(profile, market[at : at + profile.window.records]) for at in range(half)]
    once, twice = (_ask(fresh_client, others, until_s=begin_s + age_s * share) for share in (0.25, 0.5))
    for place, before in once.items():
        demand(judge_prediction(others[place], before.answer, profile), before)
    for place in once.keys() & twice.keys():
        before, after = once[place], twice[place]
        demand(judge_same(before.answer, after.answer, profile, what=f"after {len(once)} other windows"), after)
    again = send_good(window)
    demand(judge_same(first.answer, again.answer, profile, what=f"after {len(once) + len(twice)} others"), again)


def _begins(last: int, windows: int) -> Iterator[int]:
    """Spread consecutive windows over stretches of the series."""
    each = min(windows, last) // STRETCHES
    for stretch in range(STRETCHES):
        first = (last - each) * stretch // max(STRETCHES - 1, 1)
        yield from range(first, first + each)


def _ask(
    fresh_client: Callable[[], Client], windows: Sequence[Window], *, until_s: float = math.inf
) -> dict[int, Exchange]:
    """Send windows over a few connections, none after a moment, and return the exchanges by the windows' places."""

    def ask(places: Iterable[int]) -> dict[int, Exchange]:
        client = fresh_client()
        try:
            return {place: client.predict(windows[place]) for place in places if time.monotonic() < until_s}
        finally:
            client.close()

    size = -(-len(windows) // THREADS)
    parts = [range(begin, min(begin + size, len(windows))) for begin in range(0, len(windows), size)]
    with ThreadPoolExecutor(THREADS) as pool:
        return {place: exchange for part in pool.map(ask, parts) for place, exchange in part.items()}


def _window(profile: Profile, seconds: Sequence[Second]) -> Window:
    return build(profile.window, seconds, end_ns=_now_ns())


def _now_ns() -> int:
    return last_whole_second_ns(time.time())


def _times(second: Second, factor: float) -> Second:
    return replace(second, **{role: getattr(second, role) * factor for role in ("open", "high", "low", "close")})
