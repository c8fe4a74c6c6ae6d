"""C7: routes and methods; the error body of each refusal (C10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import OK, Violation, demand, judge_refusal, shown
from harness.system.client import Request

if TYPE_CHECKING:
    from harness.contract.profile import Profile
    from harness.system.client import Client

pytestmark = pytest.mark.contract


@pytest.mark.rule("C7", "C10")
@pytest.mark.parametrize(
    "path",
    ["/", "/pings", "/invocation", "/invocations/extra", "/ping/extra", "/.git/config", "/favicon.ico", "/admin"],
)
def test_unknown_path_is_404(client: Client, path: str) -> None:
    """An unknown path MUST get 404."""
    exchange = client.send(Request(method="GET", path=path))
    demand(judge_refusal(exchange.answer, rule="C7", status=[404]), exchange)


@pytest.mark.rule("C7", "C10")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_wrong_method_on_invocations_is_405(client: Client, profile: Profile, method: str) -> None:
    """A known path with the wrong method MUST get 405 with Allow."""
    _demand_405(client, Request(method=method, path=profile.http.invocations_path), allowed="POST")


@pytest.mark.rule("C7", "C10")
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_wrong_method_on_ping_is_405(client: Client, profile: Profile, method: str) -> None:
    """A known path with the wrong method MUST get 405 with Allow."""
    _demand_405(client, Request(method=method, path=profile.http.ping_path), allowed="GET")


@pytest.mark.rule("C7")
def test_head_of_ping_is_get_without_a_body(client: Client, profile: Profile) -> None:
    """HEAD /ping MUST answer as GET does, without a body."""
    exchange = client.send(Request(method="HEAD", path=profile.http.ping_path))
    is_right = exchange.answer.status == OK and exchange.answer.body == b""
    wrong = Violation(rule="C7", expected="200 without a body to HEAD", actual=shown(exchange.answer))
    demand([] if is_right else [wrong], exchange)


@pytest.mark.rule("C10")
@pytest.mark.parametrize("path", ["/console", "/debug", "/_debug", "/debugger"])
def test_there_is_no_console_route(client: Client, path: str) -> None:
    """No debugger or console route MAY exist."""
    exchange = client.send(Request(method="GET", path=path))
    demand(judge_refusal(exchange.answer, rule="C10", status=[404]), exchange)


@pytest.mark.rule("C10")
@pytest.mark.parametrize("query", ["__debugger__=yes&cmd=resource&f=debugger.js", "__debugger__=yes&cmd=printpin&s=x"])
def test_no_query_reaches_a_debugger(client: Client, profile: Profile, query: str) -> None:
    """No debugger or console route MAY exist."""
    for path in ("/", profile.http.ping_path):
        exchange = client.send(Request(method="GET", path=f"{path}?{query}"))
        kind = exchange.answer.headers.get("content-type", "")
        is_page = any(word in kind for word in ("html", "javascript")) or b"debugger" in exchange.answer.body.lower()
        wrong = Violation(rule="C10", expected="no debugger", actual=f"{shown(exchange.answer)} as {kind!r}")
        demand([wrong] if is_page else [], exchange)


def _demand_405(client: Client, request: Request, *, allowed: str) -> None:
    exchange = client.send(request)
    broken = judge_refusal(exchange.answer, rule="C7", status=[405])
    allow = exchange.answer.headers.get("allow", "")
    if exchange.answer.status == 405 and allowed not in [method.strip() for method in allow.split(",")]:
        broken.append(Violation(rule="C7", expected=f"Allow that names {allowed}", actual=f"Allow: {allow!r}"))
    demand(broken, exchange)
