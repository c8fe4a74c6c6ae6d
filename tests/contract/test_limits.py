"""C8: how large a body may be, and what an announcement alone may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import Violation, demand
from harness.faults.memory import held_bytes
from harness.options import CHOICE
from harness.system.wire import Wire, chunked
from tests.contract.ground import (
    SOON_S,
    Ground,
    judge_answered,
    judge_good,
    judge_hang,
    judge_turned_away,
    unhurried,
)

if TYPE_CHECKING:
    from harness.contract.records import Codec
    from harness.system.client import Answer
    from harness.system.wire import Talk

pytestmark = pytest.mark.contract

CHUNKS = "Transfer-Encoding: chunked"
CHUNK_BYTES = 65_536
POLITE_S = 2.0
MIB = 1_048_576
# So much is sent, and so much may a container grow that reads and drops it: its garbage is not collected at once.
FLOOD_BYTES, GROWTH_BYTES = 96 * MIB, 72 * MIB


@pytest.mark.rule("C8", "C10", "C13", "R1")
@pytest.mark.parametrize("codec", ["json", "csv"])
@pytest.mark.parametrize("excess", [1, 1_000_000])
@unhurried
def test_too_large_a_body_is_413(ground: Ground, codec: Codec, excess: int) -> None:
    """A body over 1 MiB MUST get 413."""
    body = _padded(ground, codec, _limit(ground) + excess)
    fields = (ground.kind(codec), f"Content-Length: {len(body)}")
    answer, talk = _upload(ground, fields, body)
    demand(judge_answered(answer, talk, ground.profile.refusals, rule="C8", status=[413]), talk)
    ground.demand_it_serves(talk)


@pytest.mark.rule("C8", "C10", "C13", "R1")
@pytest.mark.parametrize("excess", [1, 1_000_000])
@pytest.mark.codec("json")
@unhurried
def test_too_large_a_body_in_chunks_is_413(ground: Ground, excess: int) -> None:
    """A chunked body over 1 MiB MUST get 413, or 411."""
    body = _in_chunks(_padded(ground, "json", _limit(ground) + excess))
    answer, talk = _upload(ground, (ground.kind(), CHUNKS), body)
    demand(judge_answered(answer, talk, ground.profile.refusals, rule="C8", status=[411, 413]), talk)
    ground.demand_it_serves(talk)


@pytest.mark.rule("C11", "C13")
@pytest.mark.parametrize("codec", ["json", "csv"])
@unhurried
def test_the_refusal_of_too_large_a_body_has_its_request_id(ground: Ground, codec: Codec) -> None:
    """X-Request-Id MUST be echoed on a 413 too."""
    body = _padded(ground, codec, _limit(ground) + 1)
    named = ("X-Request-Id: too-large", ground.kind(codec), f"Content-Length: {len(body)}")
    answer, talk = _upload(ground, named, body)
    found = answer.headers.get("x-request-id") if answer else "too-large"  # that there is none is C8's to say
    wrong = Violation(rule="C11", expected="X-Request-Id: too-large", actual=f"X-Request-Id: {found}, {talk}")
    demand([*([] if found == "too-large" else [wrong]), *judge_hang(talk)], talk)


@pytest.mark.rule("C8", "C13")
@pytest.mark.parametrize("codec", ["json", "csv"])
@unhurried
def test_a_body_of_just_1_mib_is_read(ground: Ground, codec: Codec) -> None:
    """A body of 1 MiB is not over 1 MiB: a good window in it MUST get its 200."""
    body = _padded(ground, "json", _limit(ground)) if codec == "json" else _widened(ground, _limit(ground))
    answer, talk = ground.ask(ground.whole(body, kind=ground.kind(codec)))
    demand(judge_good(answer, talk, rule="C8"), talk)


@pytest.mark.rule("C8", "C10", "C13")
@pytest.mark.codec("json")
@unhurried
def test_just_1_mib_in_chunks_is_read(ground: Ground) -> None:
    """A chunked body is read under the same limit: a good window in 1 MiB MUST get its 200, or 411."""
    body = _in_chunks(_padded(ground, "json", _limit(ground)))
    answer, talk = _upload(ground, (ground.kind(), CHUNKS), body)
    is_refused = answer is not None and answer.status == 411
    broken = (
        judge_answered(answer, talk, ground.profile.refusals, rule="C8", status=[411])
        if is_refused
        else judge_good(answer, talk, rule="C8")
    )
    demand(broken, talk)


@pytest.mark.rule("C8", "C13", "R1")
@pytest.mark.parametrize("length", [10**10, 2**63, 10**30], ids=["10 GB", "beyond 63 bits", "beyond all bounds"])
@pytest.mark.parametrize("begun", [b"", b'{"'], ids=["nothing sent", "a little sent"])
@unhurried
def test_an_announced_length_is_not_taken_at_its_word(ground: Ground, length: int, begun: bytes) -> None:
    """A body over 1 MiB MUST be refused without memory for all of it: its announcement alone is harmless."""
    answer, talk = ground.ask_to_the_end(ground.invocation(begun, ground.kind(), f"Content-Length: {length}"))
    demand(judge_turned_away(answer, talk, rule="C8"), talk)
    ground.demand_it_serves(talk)


@pytest.mark.rule("C8", "C18")
@pytest.mark.parametrize("framing", ["length", "chunks"])
@unhurried
def test_too_large_a_body_is_not_kept_in_memory(
    request: pytest.FixtureRequest, ground: Ground, sut_url: str, framing: str
) -> None:
    """A body over 1 MiB MUST NOT be read into memory as a whole."""
    if request.config.stash[CHOICE].url:
        pytest.skip(f"{sut_url} is run by somebody else: its memory cannot be seen")
    sut = request.getfixturevalue("shared_sut")
    block = b" " * MIB
    field, piece = (
        (CHUNKS, chunked(block)[:-5]) if framing == "chunks" else (f"Content-Length: {FLOOD_BYTES + 1}", block)
    )
    before_bytes = held_bytes(sut)
    with Wire(ground.place, patience_s=POLITE_S) as wire:
        wire.send(ground.invocation(b"", ground.kind(), field))
        is_taken = all(wire.send(piece) for _ in range(FLOOD_BYTES // MIB))
        wire.listen(within_s=SOON_S if is_taken else 0)  # what is on its way shall arrive
        grown_bytes = held_bytes(sut) - before_bytes if is_taken else 0
    actual = f"{grown_bytes // MIB} MiB more in use after {FLOOD_BYTES // MIB} MiB of one body"
    wrong = Violation(rule="C8", expected=f"at most {GROWTH_BYTES // MIB} MiB more in use", actual=actual)
    demand([wrong] if grown_bytes > GROWTH_BYTES else [], wire.talk)
    ground.demand_it_serves(wire.talk)


def _limit(ground: Ground) -> int:
    return ground.profile.http.body_limit_bytes


def _padded(ground: Ground, codec: Codec, size: int) -> bytes:
    """Make a body of a good window and of a size: spaces between the tokens of JSON, empty lines after CSV."""
    good = ground.good(codec)
    padding = size - len(good)
    return good[:1] + b" " * padding + good[1:] if codec == "json" else good + b"\n" * padding


def _widened(ground: Ground, size: int) -> bytes:
    """Make a CSV body of a good window and of a size, with a column that nobody knows."""
    header, *rows = ground.good("csv").decode().splitlines()
    header = f"{header},x_padding"
    room = size - len(header) - 1 - sum(len(row) + 2 for row in rows)
    widths = [room // len(rows) + (place < room % len(rows)) for place in range(len(rows))]
    wide = (f"{row},{'x' * width}" for row, width in zip(rows, widths, strict=True))
    return "".join(f"{line}\n" for line in (header, *wide)).encode()


def _in_chunks(body: bytes) -> bytes:
    return chunked(*(body[begin : begin + CHUNK_BYTES] for begin in range(0, len(body), CHUNK_BYTES)))


def _upload(ground: Ground, fields: tuple[str, ...], body: bytes) -> tuple[Answer | None, Talk]:
    """Send the head and, where no answer comes at once, the body.

    A good server may answer the head alone and close; sending into that can tear away the answer. Where it was, the
    head goes out once more and the body waits for long.
    """
    head = ground.invocation(b"", *fields)
    answer, wire = _sent_in_two(ground, head, body, within_s=SOON_S if "Content-Length" in fields[-1] else 0.0)
    if answer is None and wire.talk.standing in ("reset", "closed"):
        answer, wire = _sent_in_two(ground, head, body, within_s=POLITE_S)
    return answer, wire.talk


def _sent_in_two(ground: Ground, head: bytes, body: bytes, *, within_s: float) -> tuple[Answer | None, Wire]:
    with ground.connect() as wire:
        wire.send(head)
        answer = wire.listen(within_s=within_s)
        if answer is None:
            wire.send(body)
            answer = wire.read()
    return answer, wire
