"""P2, P6: the same window gets the same prediction, and nothing of another's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import Violation, demand, judge_prediction, judge_same, prediction_of
from harness.contract.records import CONTENT_TYPES, Window, to_csv

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.profile import Profile
    from harness.system.client import Client, Exchange

pytestmark = pytest.mark.contract

CLIENTS = 16


@pytest.mark.rule("P2")
def test_again_as_csv_and_in_another_order_the_prediction_is_the_same(
    client: Client, profile: Profile, fresh_window: Callable[[], Window]
) -> None:
    """The same window MUST give the same prediction: again, as CSV, with fields in another order."""
    window = fresh_window()
    reordered = Window(records=tuple(dict(reversed(list(record.items()))) for record in window.records))
    first = client.predict(window)
    others = {
        "again": client.predict(window),
        "as CSV": client.predict(window, "csv"),
        "with fields in another order": client.predict(reordered),
        "as CSV with columns in another order": client.invoke(to_csv(reordered), CONTENT_TYPES["csv"]),
    }
    for what, second in others.items():
        demand(judge_same(first.answer, second.answer, profile, what=what), second)


@pytest.mark.rule("P2", "P6")
def test_16_clients_at_once_each_get_their_own_answer(
    fresh_client: Callable[[], Client], profile: Profile, fresh_window: Callable[[], Window]
) -> None:
    """Nothing of one request MAY show in another's answer, and company MUST NOT change a prediction."""
    windows = [fresh_window() for _ in range(CLIENTS)]
    alone = _all_at_once(fresh_client, windows, threads=1)
    together = _all_at_once(fresh_client, windows, threads=CLIENTS)
    for window, before, after in zip(windows, alone, together, strict=True):
        demand(judge_prediction(window, after.answer, profile), after)
        broken = judge_same(before.answer, after.answer, profile, what="alongside 15 other requests")
        if broken and prediction_of(after.answer) in {prediction_of(other.answer) for other in alone}:
            broken = [Violation(rule="P6", expected=broken[0].expected, actual="another request's prediction")]
        demand(broken, after)


def _all_at_once(fresh_client: Callable[[], Client], windows: list[Window], *, threads: int) -> list[Exchange]:
    def ask(window: Window) -> Exchange:
        own = fresh_client()
        try:
            return own.predict(window)
        finally:
            own.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(ask, windows))
