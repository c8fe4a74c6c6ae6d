"""A release on an endpoint of stand-ins: good ones take over, bad ones go, and nobody's call is lost."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from harness.contract.profile import load_profile
from harness.contract.records import CONTENT_TYPES, last_whole_second_ns
from harness.release.endpoint import Endpoint, EndpointConfig, Health, VariantConfig
from harness.release.endpoint.loop import Loop
from harness.release.rollout.asks import asks_of
from harness.release.rollout.judge import judge
from harness.release.rollout.machine import Outcome
from harness.release.rollout.record import read_record
from harness.release.rollout.rollout import CHALLENGER, Rollout
from tests.unit.made_releases import HEADER
from tests.unit.stand_ins import StandIn, StandIns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.release.rollout.asks import Ask
    from harness.release.rollout.judge import Judgement
    from harness.release.rollout.record import Header

PROFILE = load_profile()
_asks = cache(lambda: asks_of(PROFILE, None, seed=1))
SHORT = replace(HEADER, shares=(0.3, 1.0), bake_s=1.2, rate_per_s=60.0, least=10, has_truths=True)
JOINING = VariantConfig(name=CHALLENGER, image="good:2", weight=0.0)
SPOIL: dict[str, Callable[[dict[str, object]], object]] = {}


class Persistence(StandIn):
    """Predicts the last close, and flags what the contract calls a jump; what it says may be spoilt."""

    dies_after: Mapping[str, int] = MappingProxyType({})
    heard = 0

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/ping":
            return web.Response(status=200)
        body = await request.content.read()
        self.heard += 1
        if self.heard > self.dies_after.get(self._variant, self.heard) and request.transport is not None:
            request.transport.abort()
        return web.Response(body=json.dumps(self.say(body)).encode(), content_type="application/json")

    def say(self, body: bytes) -> object:
        """Return what is answered to a window."""
        closes, newest = read(body)
        jump = any(abs(after - before) / min(after, before) > 0.05 for before, after in pairwise(closes))
        said = {
            "prediction": closes[-1],
            "as_of": newest,
            "horizon_s": 1,
            "model": {"name": "persistence", "version": "1"},
            "anomalies": [{"code": "jump", "message": "a jump"}] if jump else [],
        }
        spoil = SPOIL.get(self._variant)
        return said if spoil is None else spoil(said)

    @property
    def _variant(self) -> str:
        return self.name.partition("-")[0]


def read(body: bytes) -> tuple[list[float], str]:
    """Return the closes of a window, and its newest moment."""
    if body.startswith(b"{"):
        records = json.loads(body)["window"]
        return [float(one["price_close"]) for one in records], records[-1]["time_period_end"]
    head, *rows = [line.split(",") for line in body.decode().splitlines()]
    close, end = head.index("price_close"), head.index("time_period_end")
    return [float(row[close]) for row in rows], rows[-1][end]


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    with closing(Loop("models")) as one:
        yield one


@pytest.fixture
def models(loop: Loop) -> Iterator[StandIns]:
    made = StandIns(loop, Persistence)
    yield made
    for ones in made.made.values():
        for one in ones:
            one.die()
    SPOIL.clear()


def release(
    models: StandIns,
    tmp_path: Path,
    header: Header = SHORT,
    asks: Sequence[Ask] | None = None,
    beside: Callable[[Endpoint, threading.Event], None] | None = None,
) -> Judgement:
    """Release a challenger; what the record says again is what was decided live."""
    champion = VariantConfig(name="champion", image="good:1")
    config = EndpointConfig(variants=(champion,), health=Health(ping_every_s=0.1), kept=2_000)
    path = tmp_path / "release.jsonl"
    with Endpoint(config, models, say=lambda _: None) as endpoint:
        rollout = Rollout(
            endpoint=endpoint,
            header=header,
            profile=PROFILE,
            asks=_asks() if asks is None else asks,
            joining=JOINING,
            after_s=0.3,
        )
        with calling(endpoint, beside):
            judgement = rollout.run(path)
        left = endpoint.weights()
    assert judge(*read_record(path)) == judgement
    assert list(left) == ([CHALLENGER] if judgement.outcome is Outcome.PROMOTED else ["champion"])
    return judgement


@contextmanager
def calling(endpoint: Endpoint, call: Callable[[Endpoint, threading.Event], None] | None) -> Iterator[None]:
    """Let somebody call from a thread of his own."""
    is_over = threading.Event()
    thread = threading.Thread(target=call or (lambda *_: None), args=(endpoint, is_over))
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def alarms_on(judgement: Judgement) -> set[str]:
    return {one.alarm for one in judgement.steps[-1].readings if one.verdict == "FAILED"}


def test_a_good_challenger_takes_over_and_no_call_is_lost(models: StandIns, tmp_path: Path) -> None:
    judgement = release(models, tmp_path, replace(SHORT, has_truths=False))
    assert judgement.outcome is Outcome.PROMOTED, judgement.why
    assert [step.share for step in judgement.steps] == [0.3, 1.0]
    callers = judgement.callers
    assert callers.sent == callers.answered > 100
    assert models.made["champion"][-1].has_left


def test_a_wrong_answer_rolls_back_at_once_and_no_call_is_lost(models: StandIns, tmp_path: Path) -> None:
    SPOIL[CHALLENGER] = lambda good: {**good, "prediction": 0.0}
    judgement = release(models, tmp_path)
    assert judgement.outcome is Outcome.ROLLED_BACK
    assert alarms_on(judgement) >= {"wrong", "parity"}
    assert judgement.callers.sent == judgement.callers.answered
    assert models.made[CHALLENGER][-1].has_left


def test_a_challenger_whose_containers_die_is_rolled_back(
    models: StandIns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Persistence, "dies_after", {CHALLENGER: 5}, raising=False)
    judgement = release(models, tmp_path)
    assert judgement.outcome is Outcome.ROLLED_BACK
    assert "errors" in alarms_on(judgement)
    assert judgement.callers.lost == 0


def test_a_challenger_that_never_becomes_ready_is_rolled_back(models: StandIns, tmp_path: Path) -> None:
    models.most[CHALLENGER] = 0
    judgement = release(models, tmp_path)
    assert judgement.outcome is Outcome.ROLLED_BACK
    assert judgement.why.startswith("the challenger did not become ready: ")
    assert judgement.exposed == 0


def test_where_nobody_calls_nothing_is_promoted(models: StandIns, tmp_path: Path) -> None:
    judgement = release(models, tmp_path, replace(SHORT, bake_s=0.5, has_truths=False), asks=())
    assert judgement.outcome is Outcome.UNKNOWN
    assert "answers: 0 in this step" in judgement.why


def test_too_few_answers_are_waited_for_and_then_given_up(models: StandIns, tmp_path: Path) -> None:
    judgement = release(models, tmp_path, replace(SHORT, least=10_000, has_truths=False, bake_s=0.5))
    assert judgement.outcome is Outcome.UNKNOWN
    assert judgement.callers.lost == 0


def test_callers_of_their_own_are_watched_and_served(models: StandIns, tmp_path: Path) -> None:
    theirs = replace(SHORT, has_truths=False, bake_s=0.6, least=5)
    SPOIL[CHALLENGER] = lambda good: {**good, "as_of": "yesterday"}
    judgement = release(models, tmp_path, theirs, asks=(), beside=call_until)
    assert judgement.outcome is Outcome.ROLLED_BACK
    assert alarms_on(judgement) == {"wrong"}
    assert judgement.callers.sent == judgement.callers.answered > 10


def call_until(endpoint: Endpoint, is_over: threading.Event) -> None:
    """Call an endpoint as anybody may, with windows that end now."""
    host, path = endpoint.url.removeprefix("http://"), f"/endpoints/{endpoint.name}/invocations"
    with closing(http.client.HTTPConnection(host)) as connection:
        for ask in itertools.cycle(_asks()):
            if is_over.wait(0.01):
                return
            body = ask.question.body(PROFILE.window, end_ns=last_whole_second_ns(time.time()))
            connection.request("POST", path, body, {"Content-Type": CONTENT_TYPES[ask.question.codec]})
            connection.getresponse().read()
