"""C5, C6: which types are taken, which are given."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import OK, Violation, demand, judge_prediction, judge_refusal, shown
from harness.contract.records import content_type, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.profile import Profile
    from harness.contract.records import Codec, Window
    from harness.system.client import Answer, Client, Exchange

pytestmark = pytest.mark.contract

TAKEN: list[tuple[str, Codec]] = [
    ("application/json", "json"),
    ("application/json; charset=utf-8", "json"),
    ("application/json;charset=UTF-8", "json"),
    ('application/json; charset="utf-8"', "json"),
    ("application/json; charset=utf-8; version=1", "json"),
    ("Application/JSON", "json"),
    ("APPLICATION/JSON; CHARSET=UTF-8", "json"),
    ("text/csv", "csv"),
    ("text/csv; charset=utf-8", "csv"),
    ("text/csv; header=present", "csv"),
    ('text/csv;charset="UTF-8";header=present', "csv"),
    ("TEXT/CSV", "csv"),
]
# Good containers differ over these: RFC 9110 allows some, and none of them says what the body is otherwise.
TAKEN_OR_NOT: list[tuple[str, Codec]] = [
    ("application/json;", "json"),
    ("application/json ; charset=utf-8", "json"),
    ("application/json; charset=", "json"),
    ("application/json; charset=nonsense", "json"),
    ("application/json; charset=utf-16", "json"),
    ("application/json; charset=latin-1", "json"),
    ('application/json; charset="utf-8', "json"),
    ("application/json; =; ;;", "json"),
    ("application/json, application/json", "json"),
    ("application/json, text/csv", "json"),
    ("text/csv;", "csv"),
    ("text/csv; charset=nonsense", "csv"),
    ("text/csv; charset=ascii", "csv"),
    ("text/csv; header=absent", "csv"),
]
OTHER_TYPES = [
    *("text/plain", "text/html", "text/json", "text/x-json", "text/tab-separated-values", "text/csvx", "text/csv+zip"),
    *("application/xml", "application/csv", "application/jsonp", "application/jsonlines", "application/x-ndjson"),
    *("application/vnd.api+json", "application/ld+json", "application/octet-stream", "application/x-npy"),
    *("application/x-json", "application/json5", "application/json-seq", "application/x-csv", "text/x-csv"),
    *("text/comma-separated-values", "application/vnd.ms-excel", "application/x-recordio-protobuf"),
    *("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain; a=application/json"),
    *("json", "csv", "application", "application/", "/json", "*/*", "application/*", "text/*", "xapplication/json"),
]
ACCEPTS_JSON = [
    *(None, "*/*", "application/*", "application/json", "APPLICATION/JSON", "text/html, */*;q=0.1"),
    *("application/json;q=0.5", "application/json; q=0.001", "text/csv;q=1.0, application/json;q=0.1"),
    *("text/html,application/json", "text/html , application/*;q=0.2 , image/png", "*/*;q=0.8, text/html"),
    *("application/json, text/html;q=0", "text/csv;q=0.9, */*;q=0.8", "application/xml;q=0, */*"),
]
EXCLUDES_JSON = [
    *("text/html", "text/csv", "application/xml", "image/*", "text/*", "text/html, application/xml;q=0.9, image/*"),
    *("application/json;q=0", "application/json;q=0.0", "application/json; q=0.000", "*/*;q=0", "application/*;q=0"),
    *("application/jsonp", "text/json", "text/html, application/json;q=0"),
]
# Of these it can be said that they exclude JSON, and that they do not.
ACCEPTS_OR_NOT = [
    *("", ",", ";", "*", "json", "application", "application/", ";q=1", "a/b/c", "*/json", '"', "application/json;;"),
    *("application/json;q=", "application/json;q=many", "application/json;q=2", "application/json;q=-1"),
    *("application/json;q=0.12345", "application/json;q=0;q=1", "application/json; charset=utf-8", "text/html;q=0"),
    *("application/json;version=2", "application/json;q=0, */*", "*/*, application/json;q=0", "application/*;q=0, */*"),
    *("application/vnd.api+json", "application/json text/html", ", ".join(f"text/x-{n}" for n in range(300)) + ", */*"),
]
CODINGS = ["identity", "gzip", "GZIP", "deflate", "br", "nonsense", "gzip, gzip"]


@pytest.mark.rule("C5")
@pytest.mark.parametrize(("kind", "codec"), TAKEN, ids=[kind for kind, _ in TAKEN])
def test_type_is_taken(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], kind: str, codec: Codec
) -> None:
    """POST /invocations MUST take application/json and text/csv, with parameters."""
    exchange = client.invoke(encode(profile.window, fresh_window(), codec), kind)
    wrong = Violation(rule="C5", expected=f"200 to a good window as {kind!r}", actual=shown(exchange.answer))
    demand([] if exchange.answer.status == OK else [wrong], exchange)


@pytest.mark.rule("C5", "C10")
@pytest.mark.parametrize(("kind", "codec"), TAKEN_OR_NOT, ids=[kind for kind, _ in TAKEN_OR_NOT])
def test_odd_parameters_are_taken_or_415(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], kind: str, codec: Codec
) -> None:
    """Parameters that servers differ over MUST be taken, or refused as a type or a body that is none."""
    window = fresh_window()
    exchange = client.invoke(encode(profile.window, window, codec), kind)
    demand(_judge_taken_or(exchange.answer, window, profile, rule="C5", status={400, 415, 422}), exchange)


@pytest.mark.rule("C5", "C10")
@pytest.mark.codec("json")
@pytest.mark.parametrize("coding", CODINGS)
def test_a_coded_body_is_read_or_refused(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], coding: str
) -> None:
    """A Content-Encoding MUST be undone, ignored or refused: it is no reason to fail."""
    window = fresh_window()
    good = encode(profile.window, window, "json")
    body = gzip.compress(good) if coding.lower() == "gzip" else good
    exchange = client.invoke(body, "application/json", headers={"Content-Encoding": coding})
    demand(_judge_taken_or(exchange.answer, window, profile, rule="C5", status={400, 415}), exchange)


@pytest.mark.rule("C5", "C10")
@pytest.mark.parametrize("kind", [*OTHER_TYPES, None])
def test_other_type_is_415(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], kind: str | None
) -> None:
    """Any other type, or none, MUST get 415."""
    exchange = client.invoke(encode(profile.window, fresh_window(), "json"), kind)
    demand(judge_refusal(exchange.answer, client.profile.refusals, rule="C5", status=[415]), exchange)


@pytest.mark.rule("C5", "C10")
def test_other_type_of_csv_is_415(client: Client, profile: Profile, fresh_window: Callable[[], Window]) -> None:
    """Any other type MUST get 415, though the body be CSV."""
    for kind in (*OTHER_TYPES, None):
        exchange = client.invoke(encode(profile.window, fresh_window(), "csv"), kind)
        demand(judge_refusal(exchange.answer, client.profile.refusals, rule="C5", status=[415]), exchange)


@pytest.mark.rule("C6")
@pytest.mark.parametrize("accept", ACCEPTS_JSON)
def test_accepting_json_gets_json(client: Client, fresh_window: Callable[[], Window], accept: str | None) -> None:
    """Accept missing, `*/*`, `application/*` or `application/json` MUST get application/json."""
    for codec in client.profile.window.codecs:
        exchange = _invoke_accepting(client, fresh_window(), accept, codec)
        actual = f"{shown(exchange.answer)} as {exchange.answer.headers.get('content-type')!r}"
        wrong = Violation(rule="C6", expected="200 as application/json", actual=actual)
        demand([] if exchange.answer.status == OK and _is_json(exchange.answer) else [wrong], exchange)


@pytest.mark.rule("C6", "C10")
@pytest.mark.parametrize("accept", EXCLUDES_JSON)
def test_excluding_json_gets_406(client: Client, fresh_window: Callable[[], Window], accept: str) -> None:
    """An Accept that excludes JSON MUST get 406."""
    for codec in client.profile.window.codecs:
        exchange = _invoke_accepting(client, fresh_window(), accept, codec)
        demand(judge_refusal(exchange.answer, client.profile.refusals, rule="C6", status=[406]), exchange)


@pytest.mark.rule("C6", "C10")
@pytest.mark.parametrize("accept", ACCEPTS_OR_NOT, ids=[accept[:40] for accept in ACCEPTS_OR_NOT])
def test_a_doubtful_accept_gets_json_or_406(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], accept: str
) -> None:
    """An Accept that servers differ over MUST get application/json, or be refused."""
    window = fresh_window()
    exchange = _invoke_accepting(client, window, accept)
    demand(_judge_taken_or(exchange.answer, window, profile, rule="C6", status={400, 406}), exchange)


@pytest.mark.rule("R1", "P0", "P1", "P3", "P5")
@pytest.mark.parametrize("codec", ["json", "csv"])
def test_good_window_gets_a_prediction(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], codec: Codec
) -> None:
    """A good window MUST get a 200 of the promised shape, as JSON and as CSV."""
    window = fresh_window()
    exchange = client.predict(window, codec)
    demand(judge_prediction(window, exchange.answer, profile), exchange)


def _judge_taken_or(
    answer: Answer, window: Window, profile: Profile, *, rule: str, status: set[int]
) -> list[Violation]:
    """Judge an answer that may be that to a good window, or one of these refusals."""
    if answer.status != OK:
        return judge_refusal(answer, profile.refusals, rule=rule, status={OK, *status})
    wrong = Violation(rule="C6", expected="application/json", actual=str(answer.headers.get("content-type")))
    return [*judge_prediction(window, answer, profile), *([] if _is_json(answer) else [wrong])]


def _is_json(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _invoke_accepting(client: Client, window: Window, accept: str | None, codec: Codec = "json") -> Exchange:
    body = encode(client.profile.window, window, codec)
    return client.invoke(body, content_type(client.profile.window, codec), headers={"Accept": accept})
