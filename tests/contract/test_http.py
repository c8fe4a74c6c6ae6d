"""C5, C7, C8, C10, C11, C13, P6, R1: HTTP as no well-behaved library sends it, byte for byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import OK, Violation, demand, prediction_of
from harness.system.wire import chunked
from tests.contract.ground import (
    SOON_S,
    Ground,
    judge_answered,
    judge_good,
    judge_hang,
    judge_path,
    judge_turned_away,
    unhurried,
)

if TYPE_CHECKING:
    from harness.contract.records import Codec

pytestmark = pytest.mark.contract

# {get} and {post} begin a well-formed request, {window} is a good window and {size} its length.
NO_REQUEST = {
    "no Host": "GET {ping} HTTP/1.1\r\n\r\n",
    "two Hosts": "{get}Host: elsewhere\r\n\r\n",
    "two lengths": "{post}Content-Length: {size}\r\nContent-Length: 7\r\n\r\n{window}",
    "two lengths, the right one last": "{post}Content-Length: 7\r\nContent-Length: {size}\r\n\r\n{window}",
    "a length in words": "{post}Content-Length: many\r\n\r\n{window}",
    "a length below nothing": "{post}Content-Length: -1\r\n\r\n{window}",
    "a coding that nobody knows": "{post}Transfer-Encoding: magic\r\n\r\n{window}",
    "one word": "PING\r\n\r\n",
    "four words": "GET {ping} please HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "another protocol": "GET {ping} HTTQ/1.1\r\nHost: {host}\r\n\r\n",
    "a greeting of TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "an unknown method": "BREW {ping} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "an unknown method with a body": "BREW {post_tail}Content-Length: {size}\r\n\r\n{window}",
}
# Good servers differ over these: some read them as they were meant, others refuse them.
READ_OR_REFUSED = {
    "a method in lower case": "get {ping} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "lines that end in a bare LF": "GET {ping} HTTP/1.1\nHost: {host}\n\n",
    "a folded header line": "{get}X-Folded: a\r\n b\r\n\r\n",
    "a NUL in a header": "{get}X-Nul: a\0b\r\n\r\n",
    "a space before a colon": "{get}X-Spaced : a\r\n\r\n",
    "a header line without a colon": "{get}nothing\r\n\r\n",
    "a header that is no ASCII": "{get}X-Caf\xe9: \xff\xfe\r\n\r\n",
    "an empty line first": "\r\n{get}\r\n",
    "the absolute form": "GET http://{host}{ping} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "HTTP/1.0": "GET {ping} HTTP/1.0\r\n\r\n",
    "HTTP/9.9": "GET {ping} HTTP/9.9\r\nHost: {host}\r\n\r\n",
    "no version": "GET {ping}\r\n\r\n",
    "a header of 16 KiB": "{get}X-Long: {long}\r\n\r\n",
    "a query of 16 KiB": "GET {ping}?{long} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "300 headers": "{get}{many}\r\n",
    "one length twice": "{post}Content-Length: {size}\r\nContent-Length: {size}\r\n\r\n{window}",
    "a length with a sign": "{post}Content-Length: +{size}\r\n\r\n{window}",
    "chunks and a length": "{post}Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n"
    "{size:x}\r\n{window}\r\n0\r\n\r\n",
    "chunks with an extension and a trailer": "{post}Transfer-Encoding: chunked\r\n\r\n"
    "{size:x};a=b\r\n{window}\r\n0\r\nX-End: 1\r\n\r\n",
    "a good window and bytes that are no request": "{post}Content-Length: {size}\r\n\r\n{window}no request\r\n\r\n",
    "an upgrade": "{get}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "OPTIONS *": "OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n",
}
BROKEN_CHUNKS = {
    "a size in words": b"many\r\n{}\r\n0\r\n\r\n",
    "a size below nothing": b"-2\r\n{}\r\n0\r\n\r\n",
    "a size beyond all bounds": b"ffffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "more than the size": b"2\r\n{}}}}}\r\n0\r\n\r\n",
    "no size": b"\r\n\r\n{}\r\n",
    "no last one": b"2\r\n{}\r\n",
    "cut off": b'40\r\n{"window"',
}
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
# {tail} is the ping's path without its slash, {coded} the same with its first letter as %xx.
ODD_PATHS = (
    "/{coded}",
    "/./{tail}",
    "/x/../{tail}",
    "/../{tail}",
    "//{tail}",
    "/{tail}/",
    "/{tail}%00",
    "/{tail}%2f",
    "/{tail}%",
    "/{tail};a=b",
)


@pytest.mark.rule("C10", "C13", "R1")
@pytest.mark.parametrize("text", NO_REQUEST.values(), ids=NO_REQUEST.keys())
@unhurried
def test_what_is_no_request_is_refused(ground: Ground, text: str) -> None:
    """What is no well-formed HTTP/1.1 request MUST be refused by a 4xx, 501 or 505, or the end of the connection."""
    answer, talk = ground.ask_to_the_end(_filled(text, ground))
    demand(judge_turned_away(answer, talk), talk)
    ground.demand_it_serves(talk)


@pytest.mark.rule("C10", "C13", "R1")
@pytest.mark.parametrize("text", READ_OR_REFUSED.values(), ids=READ_OR_REFUSED.keys())
@unhurried
def test_what_servers_differ_over_is_read_or_refused(ground: Ground, text: str) -> None:
    """What good servers differ over MUST be read or refused: it is no reason to fail, nor to hang."""
    answer, talk = ground.ask_to_the_end(_filled(text, ground))
    demand(judge_turned_away(answer, talk, also=[200, 204]), talk)
    ground.demand_it_serves(talk)


@pytest.mark.rule("C10", "C13", "R1")
@pytest.mark.parametrize("body", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS.keys())
@unhurried
def test_broken_chunks_are_refused(ground: Ground, body: bytes) -> None:
    """A body whose chunks are broken MUST be refused."""
    answer, talk = ground.ask_to_the_end(ground.invocation(body, ground.kind(), "Transfer-Encoding: chunked"))
    demand(judge_turned_away(answer, talk), talk)
    ground.demand_it_serves(talk)


@pytest.mark.rule("C10", "C13", "R1")
@pytest.mark.parametrize("end", [b"many\r\n\r\n", b"-2\r\n\r\n"], ids=["a size in words", "a size below nothing"])
@unhurried
def test_a_good_window_in_broken_chunks_is_refused(ground: Ground, end: bytes) -> None:
    """A good window whose chunks are broken behind it MUST be refused: nobody knows that it is whole."""
    good = ground.good()
    body = b"%x\r\n%b\r\n%b" % (len(good), good, end)
    answer, talk = ground.ask_to_the_end(ground.invocation(body, ground.kind(), "Transfer-Encoding: chunked"))
    demand(judge_turned_away(answer, talk), talk)
    ground.demand_it_serves(talk)


@pytest.mark.rule("C10", "C13", "R1")
@unhurried
def test_a_body_that_ends_before_its_length_is_refused(ground: Ground) -> None:
    """A body shorter than its length MUST be refused once its sender ends; never a hang."""
    good = ground.good()
    with ground.connect() as wire:
        wire.send(ground.whole(good)[: -len(good) // 2])
        wire.end_sending()
        answer = wire.read()
    demand(judge_turned_away(answer, wire.talk), wire.talk)
    ground.demand_it_serves(wire.talk)


@pytest.mark.rule("R1", "C10", "C13")
@unhurried
def test_bytes_after_an_answer_are_a_request_of_their_own(ground: Ground) -> None:
    """A good window MUST get its 200 whatever follows it on the connection; what is no request MUST be refused."""
    with ground.connect() as wire:
        wire.send(ground.whole(ground.good()))
        first = wire.read()
        demand(judge_good(first, wire.talk), wire.talk)
        if wire.is_usable:
            wire.send(b"no request\r\n\r\n")
            second = wire.read_to_the_end(within_s=SOON_S)
            demand(judge_turned_away(second, wire.talk), wire.talk)
    ground.demand_it_serves(wire.talk)


@pytest.mark.rule("C5", "C10", "C13")
@pytest.mark.parametrize("fields", [(), ("Content-Type:",)], ids=["none", "an empty one"])
@unhurried
def test_no_type_is_415(ground: Ground, fields: tuple[str, ...]) -> None:
    """A body without a type MUST get 415."""
    good = ground.good()
    answer, talk = ground.ask(ground.invocation(good, f"Content-Length: {len(good)}", *fields))
    demand(judge_answered(answer, talk, ground.profile.refusals, rule="C5", status=[415]), talk)


@pytest.mark.rule("C8", "C10", "C13")
@pytest.mark.parametrize("codec", ["json", "csv"])
@unhurried
def test_chunks_are_read_or_411(ground: Ground, codec: Codec) -> None:
    """A chunked body MUST be read, or answered 411."""
    good = ground.good(codec)
    body = chunked(good[:1], good[1:5_000], good[5_000:])
    kind = ground.kind(codec)
    answer, talk = ground.ask(ground.invocation(body, kind, "Transfer-Encoding: chunked"))
    is_read = answer is not None and answer.status == OK
    demand([] if is_read else judge_answered(answer, talk, ground.profile.refusals, rule="C8", status=[411]), talk)


@pytest.mark.rule("C8", "C10", "C13")
@unhurried
def test_neither_length_nor_chunks_is_an_empty_body(ground: Ground) -> None:
    """A request with neither length nor chunks has an empty body: it MUST get 400, or 411."""
    answer, talk = ground.ask(ground.invocation(b"", ground.kind()))
    demand(judge_answered(answer, talk, ground.profile.refusals, rule="C8", status=[400, 411]), talk)


@pytest.mark.rule("R1", "C13")
@unhurried
def test_who_expects_100_gets_an_answer(ground: Ground) -> None:
    """A good window MUST get its 200, or 417, where its sender waits to be told to go on."""
    good = ground.good()
    with ground.connect() as wire:
        wire.send(ground.invocation(b"", ground.kind(), f"Content-Length: {len(good)}", "Expect: 100-continue"))
        answer = wire.listen(within_s=SOON_S)
        if answer is None:
            wire.send(good)
            answer = wire.read()
    is_refused = answer is not None and answer.status == 417
    demand([] if is_refused else judge_good(answer, wire.talk), wire.talk)
    ground.demand_it_serves(wire.talk)


@pytest.mark.rule("C7", "C13")
@pytest.mark.parametrize("kind", ["ping", "invocations", "nowhere"])
@unhurried
def test_no_body_follows_the_answer_to_head(ground: Ground, kind: str) -> None:
    """HEAD MUST be answered without a body: the next bytes on the connection are the next answer's."""
    with ground.connect() as wire:
        wire.send(ground.place.head("HEAD", _path(kind, ground)))
        first, is_kept = wire.read(to="HEAD"), wire.is_usable
        if is_kept:
            wire.send(ground.ping())
        second = wire.read(within_s=None if is_kept else SOON_S)
    is_right = first is not None and not wire.talk.rest and (second is None or (is_kept and second.status == OK))
    wrong = Violation(rule="C7", expected="no body to HEAD, then 200 to a ping", actual=str(wire.talk))
    demand([*([] if is_right else [wrong]), *(judge_hang(wire.talk) if is_kept else [])], wire.talk)


@pytest.mark.rule("C7", "C13")
@pytest.mark.parametrize("kind", ["ping", "invocations", "nowhere"])
@unhurried
def test_a_method_that_http_does_not_know_is_refused(ground: Ground, kind: str) -> None:
    """A method that HTTP does not know MUST be refused: 405 or 501, or as the server refuses what is no request."""
    answer, talk = ground.ask(ground.place.head("BREW", _path(kind, ground)))
    demand(judge_turned_away(answer, talk, rule="C7"), talk)


@pytest.mark.rule("C13", "P6")
@unhurried
def test_pipelined_requests_are_answered_in_order(ground: Ground) -> None:
    """Requests sent in one go MUST be answered in order, or the connection be closed after a right answer."""
    asked = [
        ground.ping("X-Request-Id: in-line-0"),
        ground.whole(ground.good(), "X-Request-Id: in-line-1"),
        ground.place.head("GET", "/nowhere", "X-Request-Id: in-line-2"),
    ]
    with ground.connect() as wire:
        wire.send(b"".join(asked))
        while len(wire.talk.answers) < len(asked) and wire.is_usable:
            wire.read()
    due = [(200, False), (200, True), (404, False)]  # the status, and whether there is a prediction
    found = [(answer.status, prediction_of(answer, ground.profile) is not None) for answer in wire.talk.answers]
    names = [answer.headers.get("x-request-id", "") for answer in wire.talk.answers]
    is_mixed = any(name.startswith("in-line-") and name != f"in-line-{at}" for at, name in enumerate(names))
    wrong = Violation(rule="P6", expected="answers in order, or the end after a right one", actual=str(wire.talk))
    is_right = found and found == due[: len(found)] and not is_mixed
    demand([*([] if is_right else [wrong]), *judge_hang(wire.talk)], wire.talk)


@pytest.mark.rule("C11", "P6")
@unhurried
def test_no_request_gets_the_id_of_another(ground: Ground) -> None:
    """A request id MUST NOT show on the next answer of the same connection."""
    named = [ground.ping("X-Request-Id: mine-alone"), ground.place.head("GET", "/nowhere", "X-Request-Id: mine-alone")]
    with ground.connect() as wire:
        for content in (named[0], ground.ping(), named[1], ground.ping()):
            wire.send(content)
            wire.read()
    found = [answer.headers.get("x-request-id", "") for answer in wire.talk.answers][1::2]
    is_right = all(found) and "mine-alone" not in found and len(set(found)) == len(found)
    wrong = Violation(rule="C11", expected="an id of its own for each request without one", actual=repr(found))
    demand([] if is_right else [wrong], wire.talk)


@pytest.mark.rule("R1", "C13")
@pytest.mark.parametrize("kind", ["404", "405", "406", "413", "415", "400", "422"])
@unhurried
def test_a_connection_serves_on_after_a_refusal(ground: Ground, kind: str) -> None:
    """After a refusal the next good window on the connection MUST get its 200, or the connection be closed."""
    refused = _to_be_refused(kind, ground)
    with ground.connect() as wire:
        wire.send(refused)
        wire.read()
        demand(judge_hang(wire.talk), wire.talk)
        if wire.is_usable:
            wire.send(refused[wire.talk.sent_bytes :])  # what an early answer kept us from sending
        if wire.is_usable:
            wire.send(ground.whole(ground.good()))
            second = wire.read()
            demand(judge_hang(wire.talk) if second is None else judge_good(second, wire.talk), wire.talk)


@pytest.mark.rule("C7", "C10", "C13", "R1")
@pytest.mark.parametrize("template", ODD_PATHS)
@unhurried
def test_an_odd_path_is_404_or_what_it_stands_for(ground: Ground, template: str) -> None:
    """An unknown path MUST get 404; one that stands for a known path MAY be answered as that, or lead there.

    A percent sign that begins no escape makes a bad request line, which the server MAY turn away itself.
    """
    home = ground.profile.http.ping_path
    if home == "/":
        pytest.skip("the ping lies at the root: there is no odd way to it")
    path = template.format(tail=home[1:], coded=f"%{ord(home[1]):x}{home[2:]}")
    answer, talk = ground.ask(ground.place.head("GET", path))
    is_turned_away = "%" in _ESCAPE.sub("", path) and not judge_turned_away(answer, talk)
    demand(
        [] if is_turned_away else judge_path(answer, talk, ground.profile.refusals, home=ground.place.prefix + home),
        talk,
    )
    ground.demand_it_serves(talk)


def _path(kind: str, ground: Ground) -> str:
    http = ground.profile.http
    return {"ping": http.ping_path, "invocations": http.invocations_path}.get(kind, f"/{kind}")


def _filled(template: str, ground: Ground) -> bytes:
    place, http, window = ground.place, ground.profile.http, ground.good().decode()
    ping, invocations, host = place.prefix + http.ping_path, place.prefix + http.invocations_path, place.authority
    post_tail = f"{invocations} HTTP/1.1\r\nHost: {host}\r\n{ground.kind()}\r\n"
    return template.format(
        ping=ping,
        host=host,
        get=f"GET {ping} HTTP/1.1\r\nHost: {host}\r\n",
        post=f"POST {post_tail}",
        post_tail=post_tail,
        window=window,
        size=len(window),
        long="x" * 16_384,
        many="".join(f"X-Header-{number}: {number}\r\n" for number in range(300)),
    ).encode("latin-1")


def _to_be_refused(kind: str, ground: Ground) -> bytes:
    good, http = ground.good(), ground.profile.http
    length = f"Content-Length: {len(good)}"
    if kind in ("404", "405"):
        method, path = ("POST", "/nowhere") if kind == "404" else ("PUT", http.ping_path)
        return ground.place.head(method, path, ground.kind(), length) + good
    bodies = {"413": b" " * (http.body_limit_bytes + 1), "400": b"{", "422": b'{"%s":[]}' % _key(ground)}
    fields = {"406": ["Accept: text/html"]}.get(kind, [])
    content_type = "Content-Type: text/plain" if kind == "415" else ground.kind()
    return ground.whole(bodies.get(kind, good), *fields, kind=content_type)


def _key(ground: Ground) -> bytes:
    return ground.profile.window.key.encode()
