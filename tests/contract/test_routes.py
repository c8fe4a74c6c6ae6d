"""C7: routes and methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import OK, Violation, demand, judge_refusal, shown
from harness.system.client import Request

if TYPE_CHECKING:
    from harness.contract.profile import Profile
    from harness.system.client import Answer, Client

pytestmark = pytest.mark.contract

NOT_FOUND, WRONG_METHOD = 404, 405
UNKNOWN_PATHS = [
    *(
        "/",
        "/pings",
        "/pin",
        "/invocation",
        "/invocations/extra",
        "/ping/extra",
        "/invocations.json",
        "/v1/invocations",
    ),
    *("/.git/config", "/.env", "/favicon.ico", "/admin", "/login", "/index.html", "/%F0%9F%98%80", "/a%20b", "/?ping"),
]
# What servers of good faith do with OPTIONS and TRACE, which the contract leaves open or hardly names.
OPTIONS_STATUSES, TRACE_STATUSES = {200, 204, WRONG_METHOD}, {*range(400, 500), 501}


@pytest.mark.rule("C7", "C10")
@pytest.mark.parametrize("path", UNKNOWN_PATHS)
def test_unknown_path_is_404(client: Client, path: str) -> None:
    """An unknown path MUST get 404."""
    http = client.profile.http
    if path.partition("?")[0] in (http.ping_path, http.invocations_path, *http.other_paths):
        pytest.skip("the profile says that there is such a route")
    exchange = client.send(Request(method="GET", path=path))
    demand(judge_refusal(exchange.answer, client.profile.refusals, rule="C7", status=[NOT_FOUND], sent=path), exchange)


@pytest.mark.rule("C7", "C10")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_unknown_path_is_404_by_any_method(client: Client, method: str) -> None:
    """An unknown path MUST get 404, whatever the method."""
    exchange = client.send(Request(method=method, path="/nowhere", body=b"{}"))
    demand(judge_refusal(exchange.answer, client.profile.refusals, rule="C7", status=[NOT_FOUND]), exchange)


@pytest.mark.rule("C7", "C10")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_wrong_method_on_invocations_is_405(client: Client, profile: Profile, method: str) -> None:
    """A known path with the wrong method MUST get 405 with Allow."""
    _demand_405(client, Request(method=method, path=profile.http.invocations_path), allowed="POST")


@pytest.mark.rule("C7", "C10")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
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


@pytest.mark.rule("C7")
def test_head_of_invocations_is_405(client: Client, profile: Profile) -> None:
    """HEAD /invocations MUST get 405 with Allow, as GET does there."""
    exchange = client.send(Request(method="HEAD", path=profile.http.invocations_path))
    answer = exchange.answer
    wrong = Violation(rule="C7", expected="405 to HEAD", actual=shown(answer))
    demand(_judge_allow(answer, "HEAD", "POST") if answer.status in profile.refusals.method else [wrong], exchange)


@pytest.mark.rule("C7")
def test_head_of_an_unknown_path_is_404(client: Client) -> None:
    """An unknown path MUST get 404, by HEAD too."""
    exchange = client.send(Request(method="HEAD", path="/nowhere"))
    wrong = Violation(rule="C7", expected="404 to HEAD", actual=shown(exchange.answer))
    demand([] if exchange.answer.status in client.profile.refusals.path else [wrong], exchange)


@pytest.mark.rule("C7", "C10")
@pytest.mark.parametrize("kind", ["ping", "invocations"])
def test_options_are_told_or_405(client: Client, profile: Profile, kind: str) -> None:
    """OPTIONS MUST get 200 or 204 with Allow, or 405 as any wrong method does."""
    path, allowed = _route(profile, kind)
    exchange = client.send(Request(method="OPTIONS", path=path))
    answer = exchange.answer
    if answer.status in profile.refusals.method:
        demand(judge_refusal(answer, profile.refusals, rule="C7", status=[WRONG_METHOD]), exchange)
    wanted = " or ".join(map(str, sorted(OPTIONS_STATUSES)))
    wrong = Violation(rule="C7", expected=f"{wanted} to OPTIONS", actual=shown(answer))
    demand(_judge_allow(answer, "", allowed) if answer.status in OPTIONS_STATUSES else [wrong], exchange)


@pytest.mark.rule("C7")
@pytest.mark.parametrize("kind", ["ping", "invocations"])
def test_trace_is_refused(client: Client, profile: Profile, kind: str) -> None:
    """TRACE is a wrong method: it MUST be refused, and what came in never be sent back."""
    exchange = client.send(Request(method="TRACE", path=_route(profile, kind)[0], headers={"Cookie": "mine=alone"}))
    answer = exchange.answer
    is_right = answer.status in TRACE_STATUSES and b"mine=alone" not in answer.body
    wrong = Violation(rule="C7", expected="405, another 4xx or 501 to TRACE, without an echo", actual=shown(answer))
    demand([] if is_right else [wrong], exchange)


def _route(profile: Profile, kind: str) -> tuple[str, str]:
    """Return a route's path and its method."""
    return (profile.http.ping_path, "GET") if kind == "ping" else (profile.http.invocations_path, "POST")


def _demand_405(client: Client, request: Request, *, allowed: str) -> None:
    exchange = client.send(request)
    broken = judge_refusal(exchange.answer, client.profile.refusals, rule="C7", status=[WRONG_METHOD])
    if exchange.answer.status in client.profile.refusals.method:
        broken += _judge_allow(exchange.answer, request.method, allowed)
    demand(broken, exchange)


def _judge_allow(answer: Answer, refused: str, allowed: str) -> list[Violation]:
    """Judge `Allow`: it names the route's method, and not the one that was refused."""
    allow = answer.headers.get("allow", "")
    named = [method.strip() for method in allow.split(",")]
    wrong = Violation(rule="C7", expected=f"Allow that names {allowed}", actual=f"Allow: {allow!r}")
    contrary = Violation(rule="C7", expected=f"Allow without {refused}, which got 405", actual=f"Allow: {allow!r}")
    return [*([] if allowed in named else [wrong]), *([contrary] if refused in named and refused else [])]
