"""C5, C6: which types are taken, which are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import OK, Violation, demand, judge_prediction, judge_refusal, shown
from harness.contract.records import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.profile import Profile
    from harness.contract.records import Codec, Window
    from harness.system.client import Client, Exchange

pytestmark = pytest.mark.contract

TAKEN: list[tuple[str, Codec]] = [
    ("application/json", "json"),
    ("application/json; charset=utf-8", "json"),
    ("application/json;charset=UTF-8", "json"),
    ("Application/JSON", "json"),
    ("text/csv", "csv"),
    ("text/csv; charset=utf-8", "csv"),
    ("text/csv; header=present", "csv"),
]


@pytest.mark.rule("C5")
@pytest.mark.parametrize(("content_type", "codec"), TAKEN, ids=[kind for kind, _ in TAKEN])
def test_type_is_taken(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], content_type: str, codec: Codec
) -> None:
    """POST /invocations MUST take application/json and text/csv, with parameters."""
    exchange = client.invoke(encode(profile.window, fresh_window(), codec), content_type)
    wrong = Violation(rule="C5", expected=f"200 to a good window as {content_type!r}", actual=shown(exchange.answer))
    demand([] if exchange.answer.status == OK else [wrong], exchange)


@pytest.mark.rule("C5", "C10")
@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "text/csvx",
        "json",
        None,
    ],
)
def test_other_type_is_415(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], content_type: str | None
) -> None:
    """Any other type, or none, MUST get 415."""
    exchange = client.invoke(encode(profile.window, fresh_window(), "json"), content_type)
    demand(judge_refusal(exchange.answer, rule="C5", status=[415]), exchange)


@pytest.mark.rule("C6")
@pytest.mark.parametrize("accept", [None, "*/*", "application/*", "application/json", "text/html, */*;q=0.1"])
def test_accepting_json_gets_json(client: Client, fresh_window: Callable[[], Window], accept: str | None) -> None:
    """Accept missing, `*/*`, `application/*` or `application/json` MUST get application/json."""
    exchange = _invoke_accepting(client, fresh_window(), accept)
    kind = exchange.answer.headers.get("content-type", "")
    is_json = kind.partition(";")[0].strip().lower() == "application/json"
    wrong = Violation(rule="C6", expected="200 as application/json", actual=f"{shown(exchange.answer)} as {kind!r}")
    demand([] if exchange.answer.status == OK and is_json else [wrong], exchange)


@pytest.mark.rule("C6", "C10")
@pytest.mark.parametrize("accept", ["text/html", "text/csv", "application/xml", "image/*", "application/json;q=0"])
def test_excluding_json_gets_406(client: Client, fresh_window: Callable[[], Window], accept: str) -> None:
    """An Accept that excludes JSON MUST get 406."""
    exchange = _invoke_accepting(client, fresh_window(), accept)
    demand(judge_refusal(exchange.answer, rule="C6", status=[406]), exchange)


@pytest.mark.rule("R1", "P0", "P1", "P3", "P5")
@pytest.mark.parametrize("codec", ["json", "csv"])
def test_good_window_gets_a_prediction(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], codec: Codec
) -> None:
    """A good window MUST get a 200 of the promised shape, as JSON and as CSV."""
    window = fresh_window()
    exchange = client.predict(window, codec)
    demand(judge_prediction(window, exchange.answer, profile), exchange)


def _invoke_accepting(client: Client, window: Window, accept: str | None) -> Exchange:
    body = encode(client.profile.window, window, "json")
    return client.invoke(body, headers={"Accept": accept})
