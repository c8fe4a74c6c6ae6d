"""Servers that want one tensor, or a batch of one, or answer a bare number: found, described, checked and judged."""

from __future__ import annotations

import math
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.contract.breaches import kinds_of_breaches
from harness.contract.judge import OK, judge_prediction, judge_refusal
from harness.contract.levels import series_in
from harness.contract.malformed_json import DOUBTFUL_JSON, NO_JSON, ODD_JSON
from harness.contract.profile import load_profile, problems
from harness.contract.records import build, encode, last_whole_second_ns
from harness.survey.written import written
from harness.system.client import Client
from tests.unit.strangers import Stranger, as_json, as_strict_json, asking
from tests.unit.test_survey_protocols import PROFILE, surveyed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.records import Window

RECORDS = PROFILE.window.records
NUMBERS = PROFILE.window.of_kind("number", "integer")
CANDLE = NUMBERS[:5]
CLOSE = NUMBERS.index("price_close")
MOST, REFUSED = 1e300, 400
TIMES = {"D6", "D7", "D8", "D9", "D10"}
METADATA = {"name": "m", "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, RECORDS, len(CANDLE)]}]}


class Unshaped(ValueError):  # noqa: N818 - named by what happened
    """A window is not of the shape that is wanted."""


def _last(rows: Sequence[Sequence[float]], width: int) -> float:
    """Return the last close of as many rows of as many numbers as there must be."""
    numbers = [number for row in rows for number in row]
    are_numbers = all(type(number) in (int, float) and abs(number) < MOST for number in numbers)
    if not are_numbers or len(rows) != RECORDS or any(len(row) != width for row in rows):
        raise Unshaped
    return float(rows[-1][CLOSE])


def _tensor(content: Any, name: str, datatype: str, *, width: int, batch: Sequence[int]) -> float:  # noqa: ANN401 - JSON is whatever it is
    (tensor,) = content["inputs"]
    numbers = tensor["data"]
    is_it = (tensor["name"], tensor["datatype"], tensor["shape"]) == (name, datatype, [*batch, RECORDS, width])
    if not is_it or len(numbers) != RECORDS * width:
        raise Unshaped
    return _last([numbers[at : at + width] for at in range(0, len(numbers), width)], width)


def _told_tensor(content: Any) -> float:  # noqa: ANN401 - likewise
    return _tensor(content, "x", "FP32", width=len(CANDLE), batch=[1])


def _instance(content: Any) -> float:  # noqa: ANN401 - likewise
    (rows,) = content["instances"]
    return _last(rows, len(CANDLE))


def _columns(content: Any) -> float:  # noqa: ANN401 - likewise
    (columns,) = content["instances"]
    return _of_records([dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)])


def _records(content: Any) -> float:  # noqa: ANN401 - likewise
    return _of_records(content["window"])


def _of_records(records: Sequence[Mapping[str, Any]]) -> float:
    if any(record.get(name) is None for record in records for name in PROFILE.window.fields):
        raise Unshaped
    return _last([[record[name] for name in NUMBERS] for record in records], len(NUMBERS))


def _v2(value: float) -> object:
    return {"model_name": "m", "outputs": [{"name": "y", "shape": [1, 1], "datatype": "FP32", "data": [value]}]}


TENSOR = Stranger(
    route="/v2/models/m/infer",
    readers=(as_strict_json(_told_tensor),),
    writer=_v2,
    ping="/v2/health/ready",
    pages={"/v2/models": {"models": ["m"]}, "/v2/models/m": METADATA},
)
SERVING = Stranger(
    route="/v1/models/m:predict",
    readers=(as_strict_json(_instance),),
    writer=lambda value: {"predictions": [[value]]},
    ping="/v1/models/m",
    pages={"/v1/models": {"models": ["m"]}, "/": {}},
)
BARE = Stranger(route="/predict", readers=(as_strict_json(_records),), writer=lambda value: value)
STRANGERS: dict[str, tuple[Stranger, dict[str, object]]] = {
    "a bare number": (BARE, {"answer.prediction": "$", "window.json": "records"}),
    "one tensor, as its metadata says": (
        TENSOR,
        {
            "answer.prediction": "outputs[0].data[0]",
            "window.json": "tensor",
            "window.key": "inputs",
            "window.columns": CANDLE,
            "window.batch": True,
            "window.tensor_name": "x",
            "window.tensor_datatype": "FP32",
        },
    ),
    "one tensor, of which nothing is known": (
        replace(
            TENSOR,
            readers=(as_strict_json(lambda it: _tensor(it, "input", "FP64", width=len(NUMBERS), batch=[])),),
            pages={"/v2/models": {"models": ["m"]}},
        ),
        {"window.json": "tensor", "window.columns": NUMBERS, "window.batch": False},
    ),
    "a batch of one as instances": (
        SERVING,
        {
            "answer.prediction": "predictions[0][0]",
            "window.json": "rows",
            "window.key": "instances",
            "window.columns": CANDLE,
            "window.batch": True,
        },
    ),
    "a batch of one object of lists": (
        replace(SERVING, readers=(as_strict_json(_columns),)),
        {"window.json": "columns", "window.batch": True, "window.columns": ()},
    ),
}
each_stranger = pytest.mark.parametrize(("stranger", "expected"), STRANGERS.values(), ids=STRANGERS.keys())


def described(stranger: Stranger, folder: Path) -> Profile:
    """Return the profile that is written of a stranger, and see that nothing is wrong with it."""
    path = folder / "first.toml"
    path.write_text(written(surveyed(stranger), subject="a stranger"), encoding="utf-8")
    assert problems(path) == []
    return load_profile(path)


@contextmanager
def asked(stranger: Stranger, profile: Profile) -> Iterator[Client]:
    """Give a client of a stranger, as the checks have it."""
    with asking(stranger, profile) as asker, closing(Client(asker.url, profile)) as client:
        yield client


def good(profile: Profile) -> Window:
    """Return a good window that ends now."""
    seconds = series_in(profile, seed=3, seconds=profile.window.records)
    return build(profile.window, seconds, end_ns=last_whole_second_ns(time.time()))


def judged(client: Client, profile: Profile) -> set[str]:
    """Return the rules that the answer to a good window breaks."""
    window = good(profile)
    return {violation.rule for violation in judge_prediction(window, client.predict(window).answer, profile)}


def let_through(client: Client, profile: Profile) -> set[str]:
    """Return the rules of which a breach was not refused as it is promised."""
    rule, window = profile.window, good(profile)
    breaches = [one for kinds in kinds_of_breaches(rule).values() for kind in kinds[:12] for one in kind.always]
    bodies = [(breach.rule, encode(rule, breach.of(window), codec), codec) for breach, codec in breaches]
    flaws = [flaw for family in NO_JSON.values() for flaw in family if flaw.is_of(rule)]
    bodies += [(flaw.rule, flaw.of(rule, encode(rule, window)), flaw.codec) for flaw in flaws]
    statuses = {rule_id: [400] if rule_id == "C9" else [422] for rule_id, *_ in bodies}
    return {
        violation.rule
        for rule_id, body, codec in bodies
        if rule_id not in profile.waived
        for violation in judge_refusal(
            client.invoke(body).answer, profile.refusals, rule=rule_id, status=statuses[rule_id]
        )
    }


@each_stranger
def test_it_is_described_and_keeps_what_is_described(
    stranger: Stranger, expected: dict[str, object], tmp_path: Path
) -> None:
    profile = described(stranger, tmp_path)
    for place, value in expected.items():
        table, key = place.split(".")
        assert getattr(getattr(profile, table), key) == value, place
    assert not {"C9", "D1", "D4", "D5"} & set(profile.waived)
    assert profile.window.tells_time or set(profile.waived) >= TIMES
    with asked(stranger, profile) as client:
        assert judged(client, profile) == set()
        assert let_through(client, profile) == set()
        for flaw in (flaw for flaw in (*DOUBTFUL_JSON, *ODD_JSON) if flaw.is_of(profile.window)):
            body = flaw.of(profile.window, encode(profile.window, good(profile)))
            promised = {OK if status == OK else REFUSED for status in flaw.statuses}
            assert client.invoke(body).answer.status in promised, flaw


def _after(first: Callable[[float], Any], then: Callable[[Any], object]) -> Callable[[float], object]:
    return lambda value: then(first(value))


@each_stranger
def test_what_is_wrong_with_its_answers_is_found(
    stranger: Stranger, expected: dict[str, object], tmp_path: Path
) -> None:
    del expected
    profile = described(stranger, tmp_path)
    for wrong, broken in (
        (lambda _: math.nan, {"P1", "P3"}),
        (lambda value: -value, {"P1", "P3"}),
        (lambda value: 2 * value, {"P3"}),
        (lambda value: [value], {"P0"}),
        (lambda _: None, {"P0"}),
    ):
        with asked(replace(stranger, writer=_after(wrong, stranger.writer)), profile) as client:
            assert judged(client, profile) == broken
    with asked(replace(stranger, writer=lambda value: {"other": [value]}), profile) as client:
        assert judged(client, profile) == {"P0"}


@pytest.mark.parametrize(
    ("stranger", "lenient", "expected"),
    [
        (TENSOR, as_json(_told_tensor), {"C9"}),
        (SERVING, as_json(_instance), {"C9"}),
        (TENSOR, as_strict_json(lambda it: it["inputs"][0]["data"][CLOSE - len(CANDLE)]), {"D1", "D5"}),
        (SERVING, as_strict_json(lambda it: it["instances"][0][-1][CLOSE]), {"D1", "D4", "D5"}),
    ],
    ids=["bad JSON, tensor", "bad JSON, instances", "any tensor", "any instances"],
)
def test_what_it_lets_through_is_found(stranger: Stranger, lenient: Any, expected: set[str], tmp_path: Path) -> None:  # noqa: ANN401 - JSON is whatever it is
    profile = described(stranger, tmp_path)
    with asked(replace(stranger, readers=(lenient,)), profile) as client:
        found = let_through(client, profile)
    assert found >= expected
    assert ("C9" in found) == ("C9" in expected)
