"""C11: request ids and unknown headers."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import OK, Violation, demand, shown
from harness.contract.records import CONTENT_TYPES, encode
from harness.system.client import Request
from tests.contract.ground import REFUSED_BY_THE_SERVER, SOON_S, Ground, judge_hang, unhurried

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.system.client import Client

pytestmark = pytest.mark.contract

HEADER = "X-Request-Id"
LONGEST = 128
# From what size on a header is too large, the contract leaves to the server; that of an id is not.
TOO_LARGE = 1_024
SENT = {
    "one letter": "a",
    "a word": "7f3c-22",
    "a UUID": "6F9619FF-8B86-D011-B42D-00CF4FC964FF",
    "every sign of ASCII": string.ascii_letters + string.digits + string.punctuation,
    "a trace": "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1",
    "a space within": "a b",
    "a line's end in disguise": "a%0d%0aX-Injected: 1",
    "another's quotes": '"a", \\"b\\", {c}, <d>, %s, ${e}',
    "just 128 characters": "x" * LONGEST,
}
# These need no echo; they are no reason to fail, and no way to write headers of an answer.
ODD = {
    "129 characters": "x" * (LONGEST + 1),
    "5,000 characters": "x" * 5_000,
    "nothing": "",
    "spaces alone": "   ",
    "beyond ASCII": "caf\xe9",
    "beyond ASCII in UTF-8": "\u00e9\U0001f600".encode().decode("latin-1"),
    "a tab": "a\tb",
    "a control character": "a\x01b",
    "a delete": "a\x7fb",
    "a bare CR": "a\rX-Injected: 1",
    "a bare LF": "a\nX-Injected: 1",
}
# Servers take a hundred at least, as they come.
MANY = {f"X-Unknown-{number}": "1" for number in range(40)}
UNKNOWN = {
    "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
    "X-Amzn-SageMaker-Target-Model": "other.tar.gz",
    "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
    "X-Unknown": "1",
    "X-Http-Method-Override": "DELETE",
    "X-Forwarded-For": "203.0.113.7",
    "Forwarded": "for=203.0.113.7;proto=https",
    "Authorization": "AWS4-HMAC-SHA256 Credential=none",
    "Cookie": "a=b; c",
    "Accept-Language": "tlh",
    "Accept-Encoding": "identity",
    "Origin": "http://example.com",
}


@pytest.mark.rule("C11")
@pytest.mark.parametrize("sent", SENT.values(), ids=SENT.keys())
def test_request_id_is_echoed(client: Client, profile: Profile, fresh_window: Callable[[], Window], sent: str) -> None:
    """X-Request-Id MUST be echoed when sent, whatever the answer."""
    for request in _one_of_each(profile, fresh_window()):
        exchange = client.send(replace(request, headers={**request.headers, HEADER: sent}))
        got = exchange.answer.headers.get(HEADER.lower())
        actual = f"{HEADER}: {got} on {exchange.answer.status}"
        demand([] if got == sent else [Violation(rule="C11", expected=f"{HEADER}: {sent}", actual=actual)], exchange)


@pytest.mark.rule("C11")
def test_request_id_is_made_up_where_none_is_sent(
    client: Client, profile: Profile, fresh_window: Callable[[], Window]
) -> None:
    """X-Request-Id MUST be made up when not sent, anew each time, whatever the answer."""
    exchanges = [client.send(request) for _ in range(3) for request in _one_of_each(profile, fresh_window())]
    got = [exchange.answer.headers.get(HEADER.lower(), "") for exchange in exchanges]
    wrong = Violation(rule="C11", expected=f"{len(got)} {HEADER} that differ", actual=repr(got))
    demand([] if all(got) and len(set(got)) == len(got) else [wrong], exchanges[-1])


@pytest.mark.rule("C11", "C13")
@pytest.mark.parametrize("kind", ["ping", "invocations", "nowhere"])
@pytest.mark.parametrize("sent", ODD.values(), ids=ODD.keys())
@unhurried
def test_an_odd_request_id_does_no_harm(ground: Ground, sent: str, kind: str) -> None:
    """A request id that need not be echoed MUST NOT fail the request, nor write headers into the answer."""
    field, is_plain = f"{HEADER}: {sent}", sent.isascii() and sent.isprintable()
    content = {
        "ping": ground.ping(field),
        "invocations": ground.whole(ground.good(), field),
        "nowhere": ground.place.head("GET", "/nowhere", field),
    }[kind]
    with ground.connect() as wire:
        wire.send(content)
        answer = wire.read() if is_plain else wire.read_to_the_end(within_s=SOON_S)
    # With other characters it is no well-formed request, and a server may call so long a header too large: then it may
    # end the connection.
    may_end = not is_plain or len(sent) > TOO_LARGE
    is_ended = answer is None and wire.talk.standing in ("closed", "reset") and may_end
    is_right = is_ended or (answer is not None and answer.status in {OK, *REFUSED_BY_THE_SERVER})
    is_injected = answer is not None and "x-injected" in answer.headers
    expected = "200 or a refusal, with no header of the client's"
    wrong = Violation(rule="C11", expected=expected, actual=f"{wire.talk} {answer.headers if answer else ''}")
    demand([*([] if is_right and not is_injected else [wrong]), *judge_hang(wire.talk)], wire.talk)


@pytest.mark.rule("C11")
@pytest.mark.parametrize("headers", [*({name: UNKNOWN[name]} for name in UNKNOWN), MANY], ids=[*UNKNOWN, "40 of them"])
def test_unknown_headers_are_ignored(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], headers: dict[str, str]
) -> None:
    """Unknown headers MUST be ignored, as many as proxies and clients add."""
    exchange = client.invoke(encode(profile.window, fresh_window(), "json"), headers=headers)
    wrong = Violation(rule="C11", expected=f"200 in spite of {', '.join(headers)}", actual=shown(exchange.answer))
    demand([] if exchange.answer.status == OK else [wrong], exchange)


def _one_of_each(profile: Profile, window: Window) -> list[Request]:
    """Return a request for each kind of answer: 200 three times, HEAD, OPTIONS, 404, 405, 415, 406, 400, 422."""
    path, ping = profile.http.invocations_path, profile.http.ping_path
    good, table = (encode(profile.window, window, codec) for codec in CONTENT_TYPES)
    kind = {"Content-Type": CONTENT_TYPES["json"]}
    return [
        Request(method="GET", path=ping),
        Request(method="POST", path=path, headers=kind, body=good),
        Request(method="POST", path=path, headers={"Content-Type": CONTENT_TYPES["csv"]}, body=table),
        Request(method="HEAD", path=ping),
        Request(method="OPTIONS", path=path),
        Request(method="GET", path="/nowhere"),
        Request(method="PUT", path=ping, headers=kind, body=b""),
        Request(method="GET", path=path),
        Request(method="POST", path=path, headers={"Content-Type": "text/plain"}, body=good),
        Request(method="POST", path=path, headers={**kind, "Accept": "text/html"}, body=good),
        Request(method="POST", path=path, headers=kind, body=b"{"),
        Request(method="POST", path=path, headers=kind, body=b"{}"),
    ]
