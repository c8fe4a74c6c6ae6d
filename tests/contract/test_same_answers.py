"""P0, P2, P6: the same window gets the same prediction, and nothing of another's."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import (
    OK,
    UNPROCESSABLE,
    Violation,
    demand,
    judge_prediction,
    judge_refusal,
    judge_same,
    prediction_of,
    shown,
)
from harness.contract.records import (
    SECOND_NS,
    Window,
    build,
    content_type,
    encode,
    last_whole_second_ns,
    moment_ns,
    timestamp,
)
from harness.contract.rules import RULES
from harness.system.client import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Codec
    from harness.contract.series import Second
    from harness.system.client import Client, Exchange

pytestmark = pytest.mark.contract

CLIENTS = 16
ROUNDS = 2
ID = "X-Request-Id"
NOTE = "x_note"
# So long may it take until all clients are there.
TOGETHER_S = 10.0
# Each party's window ends so much before the next one's besides whole seconds: its times are nobody else's.
OWN_NS = 1_234_500
STALE_S = 7_140


@pytest.mark.rule("P2")
def test_again_as_csv_and_in_another_order_the_prediction_is_the_same(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], seed: int
) -> None:
    """The same window MUST give the same prediction: again, as CSV, with fields in another order."""
    window, shuffle = fresh_window(), random.Random(seed)  # noqa: S311 - an order to repeat, no secret
    reversed_fields = Window(records=tuple(dict(reversed(list(record.items()))) for record in window.records))
    first = client.predict(window)
    others: dict[str, Callable[[], Exchange]] = {
        "again": lambda: client.predict(window),
        "as CSV": lambda: client.predict(window, "csv"),
        "with fields in another order": lambda: client.predict(reversed_fields),
        "with fields in another order in each record": lambda: client.predict(_shuffled(window, shuffle)),
        "as CSV with columns in another order": lambda: client.predict(reversed_fields, "csv"),
        "after all that": lambda: client.predict(window),
    }
    for what, ask in others.items():
        second = ask()
        demand(judge_same(first.answer, second.answer, profile, what=what), second)


@pytest.mark.rule("P2")
@pytest.mark.codec("csv")
def test_as_csv_with_columns_in_any_order_the_prediction_is_the_same(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], seed: int
) -> None:
    """The same window MUST give the same prediction as CSV too, whatever the order of columns, known and unknown."""
    window, shuffle = fresh_window(), random.Random(seed)  # noqa: S311 - an order to repeat, no secret
    first = client.predict(window)
    one_order = shuffle.sample(list(profile.window.fields), len(profile.window.fields))
    for what, order in {
        "any order": one_order,
        "any order, with others between": _with_others_between(one_order),
    }.items():
        second = client.predict(_in_order(window, order), "csv")
        demand(judge_same(first.answer, second.answer, profile, what=f"as CSV with columns in {what}"), second)


@pytest.mark.rule("P0", "R1")
@pytest.mark.parametrize("digits", range(10))
@pytest.mark.parametrize("codec", ["json", "csv"])
def test_as_of_is_as_sent(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], codec: Codec, digits: int
) -> None:
    """`as_of` MUST be the newest record's end as it was sent, to the last fraction digit."""
    *older, newest = fresh_window().editable()
    end = profile.window.named("end")
    whole, zeros = str(newest[end])[:19], "0" * digits
    window = Window(records=(*older, newest | {end: f"{whole}.{zeros}Z" if digits else f"{whole}Z"}))
    exchange = client.predict(window, codec)
    demand([each for each in judge_prediction(window, exchange.answer, profile) if each.rule in ("P0", "R1")], exchange)


@pytest.mark.rule("P0", "R1")
@pytest.mark.parametrize("codec", ["json", "csv"])
def test_nanoseconds_are_kept(client: Client, profile: Profile, series: Sequence[Second], codec: Codec) -> None:
    """`as_of` MUST be the newest record's end as it was sent: 9 fraction digits are none too many."""
    end_ns = last_whole_second_ns(time.time()) - SECOND_NS + 123_456_789
    window = build(profile.window, series[: profile.window.records], end_ns=end_ns)
    exchange = client.predict(window, codec)
    demand([each for each in judge_prediction(window, exchange.answer, profile) if each.rule in ("P0", "R1")], exchange)


@pytest.mark.rule("P0", "P2", "P6", "C10", "C11", "C13")
def test_16_clients_at_once_each_get_their_own_answer(
    fresh_client: Callable[[], Client], profile: Profile, fresh_window: Callable[[], Window]
) -> None:
    """Nothing of one request MAY show in another's answer, and company MUST NOT change a prediction."""
    parties = [_Party.number(index, fresh_window(), profile) for index in range(CLIENTS)]
    alone = [_ask_all([party], fresh_client)[0] for party in parties]
    together = _ask_all(parties, fresh_client)
    strangers = {_prediction(found[0], profile): party for party, found in zip(parties, alone, strict=True)}
    for party, before, after in zip(parties, alone, together, strict=True):
        for exchange, asked in zip(after, cycle(party.requests), strict=False):
            demand([*_judge_own(party, asked, exchange, profile), *_judge_foreign(party, parties, exchange)], exchange)
        for exchange in (found for found in after if found.answer.status == OK):
            broken = judge_same(before[0].answer, exchange.answer, profile, what="alongside 15 other requests")
            if broken and strangers.get(_prediction(exchange, profile), party) is not party:
                anothers = Violation(rule="P6", expected=broken[0].expected, actual="another request's prediction")
                broken = [*broken, anothers]
            demand(broken, exchange)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request and what it deserves: 200, or another status with one of some dimensions."""

    request: Request
    status: int
    dimensions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Party:
    """One of many clients: a token that shows in all it sends, a window with an end of its own, its requests."""

    token: str
    window: Window
    as_of: str
    requests: tuple[_Asked, ...]

    @classmethod
    def number(cls, index: int, window: Window, profile: Profile) -> _Party:
        """Make the client of a number: JSON and CSV take turns, and so do the refusals in between."""
        token = f"party-{index:02d}-{random.getrandbits(64):016x}"
        own = _noted(_earlier(window, profile, by_ns=index * (SECOND_NS + OWN_NS)), token)
        codecs: tuple[Codec, ...] = ("json", "csv") if index % 2 else ("csv", "json")
        first, second = (_good(profile, own, codec, token) for codec in codecs)
        refused = _refusals(profile, own, token)
        between = [refused[(index + step) % len(refused)] for step in (0, 3)] if refused else []
        return cls(
            token=token,
            window=own,
            as_of=str(own.newest(profile.window.named("end"))),
            requests=(first, *between[:1], second, *between[1:]),
        )


def _good(profile: Profile, window: Window, codec: Codec, token: str) -> _Asked:
    return _Asked(request=_invocation(profile, encode(profile.window, window, codec), token, codec), status=OK)


def _refusals(profile: Profile, window: Window, token: str) -> list[_Asked]:
    """Return requests to be refused for reasons that differ, each with the token in it."""
    rule, kind = profile.window, {"Content-Type": content_type(profile.window), ID: token}
    number = rule.as_sent.of_kind("number")[0]
    good = encode(rule, window, "json")
    nulled = Window(records=tuple({**record, number: None} for record in window.records))
    stale = _earlier(window, profile, by_ns=round((profile.window.max_age_s + STALE_S) * SECOND_NS))

    def broken(other: Window, rule_id: str) -> _Asked:
        request = _invocation(profile, encode(rule, other, "json"), token, "json")
        return _Asked(request=request, status=UNPROCESSABLE, dimensions=frozenset(RULES[rule_id].dimensions))

    def refused(status: int, request: Request) -> _Asked:
        return _Asked(request=request, status=status)

    invoked = Request(method="POST", path=profile.http.invocations_path, headers=kind, body=good)
    asked = [
        ("D4", broken(nulled, "D4")),
        ("C7", refused(404, Request(method="GET", path=f"/{token}", headers={ID: token}))),
        ("D9", broken(stale, "D9")),
        ("C9", refused(400, _invocation(profile, good[:-1], token, "json"))),
        ("C5", refused(415, replace(invoked, headers={**kind, "Content-Type": f"text/{token}"}))),
        ("C7", refused(405, Request(method="PUT", path=profile.http.ping_path, headers=kind, body=token.encode()))),
        ("C6", refused(406, replace(invoked, headers={**kind, "Accept": f"text/{token}"}))),
    ]
    return [one for rule_id, one in asked if rule_id not in profile.waived]


def _invocation(profile: Profile, body: bytes, token: str, codec: Codec) -> Request:
    headers = {"Content-Type": content_type(profile.window, codec), ID: token}
    return Request(method="POST", path=profile.http.invocations_path, headers=headers, body=body)


def _earlier(window: Window, profile: Profile, *, by_ns: int) -> Window:
    """Move a window back in time."""
    names = profile.window.of_kind("timestamp")
    return Window(
        records=tuple(
            {
                **record,
                **{name: timestamp((moment_ns(record[name]) or 0) - by_ns) for name in names},
            }
            for record in window.records
        )
    )


def _noted(window: Window, note: str) -> Window:
    return Window(records=tuple({**record, NOTE: note} for record in window.records))


def _shuffled(window: Window, shuffle: random.Random) -> Window:
    return Window(records=tuple(dict(shuffle.sample(list(record.items()), len(record))) for record in window.records))


def _with_others_between(names: Sequence[str]) -> list[str]:
    """Put an unknown name after every known one."""
    return [one for name in names for one in (name, f"x_{name}")]


def _in_order(window: Window, names: Sequence[str]) -> Window:
    """Put the fields of each record in an order; what is unknown has the value of the field that it is named after."""
    return Window(records=tuple({name: record[name.removeprefix("x_")] for name in names} for record in window.records))


def _ask_all(parties: Sequence[_Party], fresh_client: Callable[[], Client]) -> list[list[Exchange]]:
    """Let every client ask all that it has to ask, twice, all of them at once."""
    start = Barrier(len(parties), timeout=TOGETHER_S)

    def ask(party: _Party) -> list[Exchange]:
        own = fresh_client()
        start.wait()
        try:
            return [own.send(asked.request) for _ in range(ROUNDS) for asked in party.requests]
        finally:
            own.close()

    with ThreadPoolExecutor(len(parties)) as pool:
        return list(pool.map(ask, parties))


def _judge_own(party: _Party, asked: _Asked, exchange: Exchange, profile: Profile) -> Iterator[Violation]:
    """Judge an answer by what its own request deserves."""
    answer = exchange.answer
    if asked.status == OK:
        yield from judge_prediction(party.window, answer, profile)
    elif answer.status == OK or not asked.dimensions:
        yield from judge_refusal(answer, profile.refusals, rule="P6", status=[asked.status])
    else:
        yield from judge_refusal(
            answer, profile.refusals, rule="P6", status=[asked.status], dimensions=asked.dimensions
        )
    if answer.headers.get(ID.lower()) != party.token:
        yield Violation(rule="C11", expected=f"{ID}: {party.token}", actual=str(answer.headers.get(ID.lower())))


def _judge_foreign(party: _Party, parties: Sequence[_Party], exchange: Exchange) -> list[Violation]:
    """Judge whether a token of another client, or the end of its window, shows anywhere in an answer."""
    answer = exchange.answer
    text = " ".join(answer.headers.values()) + answer.body.decode("utf-8", "replace")
    foreign = {mark for other in parties for mark in (other.token, other.as_of)} - {party.token, party.as_of}
    return [
        Violation(rule="P6", expected="nothing of another's request", actual=f"{mark} in {shown(answer)}")
        for mark in sorted(foreign)
        if mark in text
    ]


def _prediction(exchange: Exchange, profile: Profile) -> float | None:
    return prediction_of(exchange.answer, profile)
