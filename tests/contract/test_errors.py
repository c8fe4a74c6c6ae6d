"""C10: what refusals say, whoever asks, and that nothing leads to a debugger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from harness.contract.data_rules import allowed_dimensions
from harness.contract.judge import OK, Violation, demand, judge_error_body, judge_refusal, shown
from harness.contract.records import CONTENT_TYPES, encode
from harness.contract.rules import RULES
from harness.system.client import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.contract.profile import Profile, Refusals
    from harness.contract.records import Codec, Window
    from harness.system.client import Client, Exchange

pytestmark = pytest.mark.contract

_DIMENSIONS = {dimension for rule in RULES.values() for dimension in rule.dimensions}
# {ping} and {invocations} are the routes; a body of None is none, one of {window} a good window.


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A request to be refused, and how; a profile may waive all `rules` by which it is."""

    status: int
    rules: tuple[str, ...] = ("C7",)
    method: str = "POST"
    path: str = "{invocations}"
    body: str = "{window}"
    headers: Mapping[str, str | None] = field(default_factory=dict)
    dimensions: frozenset[str] = frozenset()


_DATA = tuple(rule_id for rule_id in RULES if rule_id.startswith("D"))
_JSON: Mapping[str, str | None] = {"Content-Type": CONTENT_TYPES["json"]}
_CSV: Mapping[str, str | None] = {"Content-Type": CONTENT_TYPES["csv"]}
REFUSALS = {
    "404": Refusal(status=404, method="GET", path="/nowhere", body=""),
    "404 to a window": Refusal(status=404, path="/nowhere", headers=_JSON),
    "404 below a route": Refusal(status=404, path="{invocations}/1", headers=_JSON),
    "405 of ping": Refusal(status=405, path="{ping}", headers=_JSON),
    "405 of invocations": Refusal(status=405, method="GET", body=""),
    "405 to a window": Refusal(status=405, method="PUT", headers=_JSON),
    "406": Refusal(status=406, rules=("C6",), headers={**_JSON, "Accept": "application/xml"}),
    "415": Refusal(status=415, rules=("C5",), headers={"Content-Type": "text/plain"}),
    "400 to JSON": Refusal(status=400, rules=("C9",), body="{", headers=_JSON),
    "400 to CSV": Refusal(status=400, rules=("C9",), body="", headers=_CSV),
    "422 to no window": Refusal(
        status=422, rules=("D1", "D2"), body="{}", headers=_JSON, dimensions=frozenset(allowed_dimensions({"D1", "D2"}))
    ),
    "422 to an empty window": Refusal(
        status=422, rules=_DATA, body='{"{key}": []}', headers=_JSON, dimensions=frozenset(_DIMENSIONS)
    ),
    "422 to a header alone": Refusal(status=422, body="{header}", headers=_CSV, dimensions=frozenset(_DIMENSIONS)),
}
# Who asks like this gets pages from frameworks that negotiate the type of their errors, or that debug.
ASKERS: dict[str, dict[str, str]] = {
    "a program": {},
    "a browser": {
        "Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
    },
    "a browser's script": {"X-Requested-With": "XMLHttpRequest", "Origin": "http://example.com"},
    "a developer": {"X-Debug": "1", "X-Forwarded-For": "127.0.0.1", "Cookie": "XDEBUG_SESSION=1; debug=1"},
}
CONSOLES = [
    *(
        "/console",
        "/console/",
        "/debug",
        "/debug/",
        "/_debug",
        "/__debug__",
        "/__debug__/",
        "/debugger",
        "/__debugger__",
    ),
    *(
        "/_debugbar",
        "/_debugbar/open",
        "/_debug_toolbar/",
        "/_profiler",
        "/debug/pprof/",
        "/debug/vars",
        "/debug/default",
    ),
    *("/web-console", "/jmx-console", "/h2-console", "/admin/console", "/shell", "/repl", "/werkzeug", "/pdb"),
]
QUERIES = [
    "__debugger__=yes&cmd=resource&f=debugger.js",
    "__debugger__=yes&cmd=resource&f=style.css",
    "__debugger__=yes&cmd=printpin&s=x",
    "__debugger__=yes&cmd=pinauth&pin=0&s=x",
    "__debugger__=yes&cmd=1%2B1&frm=0&s=x",
    "debug=true&trace=true&XDEBUG_SESSION_START=1",
]
FILES = ["/etc/passwd", "/app/app.py", "/proc/self/environ", "/static/app.py", "/opt/ml/model/model.json"]


@pytest.mark.rule("C10")
@pytest.mark.parametrize("asker", ASKERS.values(), ids=ASKERS.keys())
@pytest.mark.parametrize("kind", REFUSALS)
def test_every_refusal_is_the_error_object(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], kind: str, asker: dict[str, str]
) -> None:
    """Every non-2xx answer MUST be the JSON error object, whoever asks, and give away nothing of the inside."""
    due = REFUSALS[kind]
    _skip_where_not_promised(due, profile)
    exchange = _refused(client, profile, fresh_window(), due, asker)
    broken = judge_refusal(
        exchange.answer, client.profile.refusals, rule="C10", status=[due.status], dimensions=due.dimensions
    )
    demand(broken, exchange)


@pytest.mark.rule("C10")
@pytest.mark.parametrize("path", CONSOLES)
def test_there_is_no_console_route(client: Client, path: str) -> None:
    """No debugger or console route MAY exist, by whatever method."""
    for method in ("GET", "POST"):
        exchange = client.send(Request(method=method, path=path))
        demand(judge_refusal(exchange.answer, client.profile.refusals, rule="C10", status=[404], sent=path), exchange)


@pytest.mark.rule("C10")
@pytest.mark.parametrize("query", QUERIES)
def test_no_query_reaches_a_debugger(client: Client, profile: Profile, query: str) -> None:
    """No debugger or console route MAY exist: a query never turns an answer into a page or a script."""
    http = profile.http
    asked = [("GET", "/", None), ("GET", "/nowhere", None), ("GET", http.ping_path, None), ("PUT", http.ping_path, b"")]
    asked += [("GET", http.invocations_path, None), ("POST", http.invocations_path, b"{")]
    for method, path, body in (one for one in asked if one[1] not in http.other_paths):
        exchange = client.send(Request(method=method, path=f"{path}?{query}", headers=_JSON, body=body))
        is_ping = (method, path) == ("GET", http.ping_path)
        demand(_judge_no_page(exchange, query, profile.refusals, is_ping=is_ping), exchange)


@pytest.mark.rule("C10", "C7")
@pytest.mark.parametrize("path", FILES)
def test_no_file_is_served(client: Client, path: str) -> None:
    """An unknown path MUST get 404, even where a file of the container has this name."""
    exchange = client.send(Request(method="GET", path=path))
    wrong = Violation(rule="C7", expected="404", actual=shown(exchange.answer))
    broken = [] if exchange.answer.status in client.profile.refusals.path else [wrong]
    demand(broken or judge_error_body(exchange.answer, client.profile.refusals, sent=path), exchange)


def _skip_where_not_promised(due: Refusal, profile: Profile) -> None:
    """Skip what no promise refuses: its rules are waived, or it is of a codec that is not taken as plain CSV."""
    if all(rule_id in profile.waived for rule_id in due.rules):
        pytest.skip(f"the profile waives {' and '.join(due.rules)}")
    if due.headers == _CSV and not ("csv" in profile.window.codecs and profile.window.csv == "body"):
        pytest.skip("the profile promises no plain CSV")


def _judge_no_page(exchange: Exchange, query: str, promise: Refusals, *, is_ping: bool) -> list[Violation]:
    """Judge an answer to a debugger's query: a ping may be answered as any, everything else is refused."""
    answer = exchange.answer
    kind = answer.headers.get("content-type", "").lower()
    # Pages of debuggers name themselves; an error that quotes the path that was asked for is none.
    quoted = answer.body.decode("utf-8", "replace").replace(query, "").lower()
    is_page = any(word in kind for word in ("html", "javascript", "css", "image")) or "<html" in quoted
    if is_page or (answer.status == OK and not is_ping):
        return [Violation(rule="C10", expected="no debugger", actual=f"{shown(answer)} as {kind!r}")]
    return [] if answer.status == OK else judge_error_body(answer, promise, sent=query)


def _refused(client: Client, profile: Profile, window: Window, due: Refusal, asker: dict[str, str]) -> Exchange:
    rule, http = profile.window, profile.http
    header, *_ = encode(rule, window, "csv").decode().splitlines()
    codec: Codec = "csv" if due.headers == _CSV else "json"
    filled = due.body.replace("{window}", encode(rule, window, codec).decode()).replace("{key}", rule.key)
    path = due.path.format(ping=http.ping_path, invocations=http.invocations_path)
    body = filled.replace("{header}", f"{header}\n").encode()
    has_body = due.method not in ("GET", "HEAD")
    headers = {**asker, **due.headers}
    return client.send(Request(method=due.method, path=path, headers=headers, body=body if has_body else None))
