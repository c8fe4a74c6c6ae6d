"""C6, C11, C13, R1: one request in every form that HTTP allows; it says the same, and gets the same."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import Violation, demand
from harness.contract.records import content_type
from harness.system.waiting import sleep_until
from tests.contract.ground import Ground, judge_answered, judge_good, unhurried

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.records import Codec

pytestmark = pytest.mark.contract

ID = "X-Request-Id"
# RFC 9112, 5: names of headers know no case, and blanks around a value do not belong to it.
FORMS: dict[str, Callable[[str, str], str]] = {
    "names in small letters": lambda name, value: f"{name.lower()}: {value}",
    "names in capitals": lambda name, value: f"{name.upper()}: {value}",
    "no blank after the colon": lambda name, value: f"{name}:{value}",
    "blanks around the value": lambda name, value: f"{name}:  \t{value} \t",
}
PAUSE_S = 0.05


@pytest.mark.rule("R1", "C5", "C11", "C13")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("codec", ["json", "csv"])
@unhurried
def test_headers_are_read_in_every_form(ground: Ground, form: Callable[[str, str], str], codec: Codec) -> None:
    """A good window MUST get its 200, and its request id back, in whatever form its headers are written."""
    answer, talk = ground.ask(_written(ground, form, codec))
    found = answer.headers.get(ID.lower()) if answer else "in-any-form"  # that there is none is R1's to say
    wrong = Violation(rule="C11", expected=f"{ID}: in-any-form", actual=f"{ID}: {found}")
    demand([*judge_good(answer, talk), *([] if found == "in-any-form" else [wrong])], talk)


@pytest.mark.rule("C6", "C10", "C13")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@unhurried
def test_an_accept_is_read_in_every_form(ground: Ground, form: Callable[[str, str], str]) -> None:
    """An Accept that excludes JSON MUST get 406, in whatever form it is written."""
    answer, talk = ground.ask(_written(ground, form, "json", accept="text/html"))
    demand(judge_answered(answer, talk, ground.profile.refusals, rule="C6", status=[406]), talk)


@pytest.mark.rule("R1", "C13")
@pytest.mark.parametrize("codec", ["json", "csv"])
@unhurried
def test_a_request_in_pieces_is_read_whole(ground: Ground, codec: Codec) -> None:
    """A good window MUST get its 200 though it comes in pieces, as it does over any network."""
    good = ground.good(codec)
    whole = ground.whole(good, kind=ground.kind(codec))
    cuts = [0, 10, len(whole) - len(good) - 1, len(whole) - len(good) // 2, len(whole)]
    with ground.connect() as wire:
        for begin, end in pairwise(cuts):
            wire.send(whole[begin:end])
            sleep_until(time.monotonic() + PAUSE_S)
        answer = wire.read()
    demand(judge_good(answer, wire.talk), wire.talk)


def _written(ground: Ground, form: Callable[[str, str], str], codec: Codec, *, accept: str = "*/*") -> bytes:
    good = ground.good(codec)
    fields = {
        "Content-Type": content_type(ground.profile.window, codec),
        "Content-Length": str(len(good)),
        "Accept": accept,
    }
    # A parser of many servers (llhttp) hands over the blanks behind a value, and some take no tab for a part of an id.
    request_id = form(ID, "in-any-form").rstrip()
    return ground.invocation(good, *(form(name, value) for name, value in fields.items()), request_id)
