"""C11: request ids and unknown headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import OK, Violation, demand, shown
from harness.contract.records import encode
from harness.system.client import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.system.client import Client

pytestmark = pytest.mark.contract

HEADER = "X-Request-Id"


@pytest.mark.rule("C11")
@pytest.mark.parametrize("sent", ["a", "7f3c-22", "~!#$&'()*+,-./:;<=>?@[]^_`{|}", "x" * 128])
def test_request_id_is_echoed(client: Client, profile: Profile, sent: str) -> None:
    """X-Request-Id MUST be echoed when sent."""
    for method, path in (("GET", profile.http.ping_path), ("GET", "/nowhere"), ("POST", profile.http.invocations_path)):
        exchange = client.send(Request(method=method, path=path, headers={HEADER: sent}))
        got = exchange.answer.headers.get(HEADER.lower())
        wrong = Violation(rule="C11", expected=f"{HEADER}: {sent}", actual=f"{HEADER}: {got}")
        demand([] if got == sent else [wrong], exchange)


@pytest.mark.rule("C11")
def test_request_id_is_made_up_where_none_is_sent(client: Client) -> None:
    """X-Request-Id MUST be made up when not sent, anew each time."""
    exchanges = [client.ping() for _ in range(3)]
    got = [exchange.answer.headers.get(HEADER.lower(), "") for exchange in exchanges]
    wrong = Violation(rule="C11", expected=f"three {HEADER} that differ", actual=repr(got))
    demand([] if all(got) and len(set(got)) == len(got) else [wrong], exchanges[-1])


@pytest.mark.rule("C11")
def test_unknown_headers_are_ignored(client: Client, profile: Profile, fresh_window: Callable[[], Window]) -> None:
    """Unknown headers MUST be ignored."""
    headers = {"X-Amzn-SageMaker-Custom-Attributes": "trace=1", "X-Unknown": "1", "Cookie": "a=b", "Pragma": "x"}
    exchange = client.invoke(encode(profile.window, fresh_window(), "json"), headers=headers)
    wrong = Violation(rule="C11", expected="200 in spite of unknown headers", actual=shown(exchange.answer))
    demand([] if exchange.answer.status == OK else [wrong], exchange)
