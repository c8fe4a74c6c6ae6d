"""A survey finds how each kind of server is asked, where its answer has the prediction, and what it does not do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.contract.profile import load_profile
from harness.survey.findings import Findings
from harness.survey.limit import look_at_limit
from harness.survey.reading import Grip, Sample, prediction_in
from harness.survey.survey import find_spot, survey
from harness.survey.understanding import LEVELS, window_at
from tests.unit.strangers import Stranger, as_csv, as_json, as_upload, asking

if TYPE_CHECKING:
    from collections.abc import Callable

PROFILE = load_profile()


def _v2(content: Any) -> float:  # noqa: ANN401 - JSON is whatever it is
    tensors = {tensor["name"]: tensor for tensor in content["inputs"]}
    return float(tensors["price_close"]["data"][-1]) if tensors["price_close"]["datatype"] == "FP64" else 0.0


def _split(content: Any) -> float:  # noqa: ANN401 - likewise
    split = content["dataframe_split"]
    return float(split["data"][-1][split["columns"].index("price_close")])


def _openapi(path: str, content: object) -> dict[str, object]:
    return {"paths": {path: {"post": {"requestBody": {"content": content}}}, "/about": {"get": {}}}}


_CANDLES = {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}}
STRANGERS: dict[str, tuple[Stranger, dict[str, object]]] = {
    "records and CSV": (
        Stranger(route="/invocations", readers=(as_json(lambda it: it["window"][-1]["price_close"]), as_csv)),
        {"http.invocations_path": "/invocations", "window.codecs": ("json", "csv"), "window.json": "records"},
    ),
    "mlflow": (
        Stranger(
            route="/invocations", readers=(as_json(_split), as_csv), writer=lambda value: {"predictions": [value, 7]}
        ),
        {"window.key": "dataframe_split", "window.json": "split", "answer.prediction": "predictions[0]"},
    ),
    "Open Inference Protocol": (
        Stranger(
            route="/v2/models/next-second/infer",
            readers=(as_json(_v2),),
            writer=lambda value: {
                "model_name": "next-second",
                "outputs": [{"name": "y", "shape": [1], "data": [value]}],
            },
            ping="/v2/health/ready",
            pages={"/v2/repository/index": [{"name": "next-second", "state": "READY"}]},
        ),
        {
            "http.ping_path": "/v2/health/ready",
            "http.invocations_path": "/v2/models/next-second/infer",
            "window.codecs": ("json",),
            "window.key": "inputs",
            "window.json": "v2",
            "answer.prediction": "outputs[0].data[0]",
            "answer.as_of": "",
            "http.other_paths": ("/v2/repository/index",),
        },
    ),
    "TensorFlow Serving": (
        Stranger(
            route="/v1/models/m:predict",
            readers=(as_json(lambda it: it["instances"][-1]["price_close"]),),
            writer=lambda value: {"predictions": [[value]]},
            ping="/v1/models",
            pages={"/v1/models": {"models": ["m"]}, "/": {}},
        ),
        {"window.key": "instances", "answer.prediction": "predictions[0][0]", "http.ping_path": "/"},
    ),
    "an upload": (
        Stranger(route="/predict", readers=(as_upload("csv"),), ping="/"),
        {"window.codecs": ("csv",), "window.csv": "multipart", "window.csv_field": "csv", "http.ping_path": "/"},
    ),
    "what only its description names": (
        Stranger(
            route="/v3/next",
            readers=(as_json(lambda it: it["candles"]["price_close"][-1]),),
            ping="/readyz",
            pages={
                "/openapi.json": {
                    **_openapi("/v3/next", _CANDLES),
                    "components": {"schemas": {"Ask": {"properties": {"depth": {"type": "integer"}, "candles": {}}}}},
                }
            },
        ),
        {"http.invocations_path": "/v3/next", "window.key": "candles", "window.json": "columns"},
    ),
    "a file that only its description names": (
        Stranger(
            route="/upload",
            readers=(as_upload("sheet"),),
            pages={
                "/docs.json": _openapi(
                    "/upload",
                    {"multipart/form-data": {"schema": {"properties": {"sheet": {"type": "string"}}}}},
                )
            },
        ),
        {"window.csv": "multipart", "window.csv_field": "sheet"},
    ),
}


@pytest.mark.parametrize(("stranger", "expected"), STRANGERS.values(), ids=STRANGERS.keys())
def test_the_protocol_is_found(stranger: Stranger, expected: dict[str, object]) -> None:
    found = surveyed(stranger)
    assert found.is_understood, found.unknown
    for place, value in expected.items():
        table, key = place.split(".")
        assert getattr(getattr(found.profile, table), key) == value, place


def surveyed(stranger: Stranger) -> Findings:
    """Look at a stranger as the command does."""
    found = Findings(profile=PROFILE)
    with asking(stranger, PROFILE) as asker:
        spot = find_spot({"here": asker}, PROFILE, budget_s=0.0)
        assert spot is not None
        survey(asker, spot, found)
    return found


def test_what_is_let_through_is_waived_and_what_is_refused_is_told_by_its_status() -> None:
    found = surveyed(STRANGERS["records and CSV"][0])
    assert {"C5", "C6", "C11", "D3", "D6", "D9"} - {"C5"} <= set(found.profile.waived)
    assert "C5" not in found.profile.waived
    assert found.profile.refusals.type == found.profile.refusals.malformed == (400,)
    assert found.profile.refusals.body == "json"
    assert not found.profile.refusals.dimension
    assert any(fault.startswith("C7: ") and "without `Allow`" in fault for fault in found.faults)


def test_a_rule_that_no_check_looks_at_in_this_form_is_waived() -> None:
    """Else the gate could not come to a verdict."""
    found = surveyed(STRANGERS["an upload"][0])
    assert found.profile.waived["C9"] == "no check breaks bodies of this form"
    assert found.profile.refusals.malformed == PROFILE.refusals.malformed
    assert "C9" not in surveyed(STRANGERS["Open Inference Protocol"][0]).profile.waived


def test_a_fault_is_told_and_not_waived() -> None:
    def fragile(content: Any) -> float:  # noqa: ANN401 - JSON is whatever it is
        return float(content["window"][-1]["price_close"])

    class Fragile(Stranger):
        def answer(self, method: str, path: str, body: bytes, kind: str) -> tuple[int, object]:
            status, content = super().answer(method, path, body, kind)
            return (
                (500, {"detail": "KeyError: 'window'"})
                if status == 400 and b"window" not in body
                else (status, content)
            )

    found = surveyed(Fragile(route="/invocations", readers=(as_json(fragile),)))
    assert "C9" not in found.profile.waived
    assert any(fault.startswith("C9: ") and "500" in fault for fault in found.faults)


@pytest.mark.parametrize(
    ("writer", "path"),
    [
        (lambda value: value, "$"),
        (lambda value: [value, 0.5], "$[0]"),
        (lambda value: {"$": value}, "$.$"),
        (lambda value: {"$price": value}, "$price"),
    ],
)
def test_an_answer_may_be_no_object(writer: Callable[[float], object], path: str) -> None:
    readers = STRANGERS["records and CSV"][0].readers
    found = surveyed(Stranger(route="/predict", readers=readers, writer=writer))
    assert (found.is_understood, found.profile.answer.prediction) == (True, path)


def test_what_a_model_wants_is_told_where_it_is_not_met() -> None:
    wants = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 60, 7]}, {"name": 7}, None]}
    pages = {"/v2/models": {"models": ["m"]}, "/v2/models/m": wants}
    found = surveyed(Stranger(route="/v2/models/m/infer", readers=(), pages=pages))
    assert not found.is_understood
    assert any("/v2/models/m/infer wants `x` of FP32 [-1, 60, 7]" in one for one in found.unknown)


def test_a_server_that_takes_no_window_is_not_understood() -> None:
    found = surveyed(Stranger(route="/predict", readers=()))
    assert not found.is_understood
    assert any("/predict" in one and "not understood" in one for one in found.unknown)


def test_the_limit_of_a_body_is_closed_in_on() -> None:
    for limit in (30_000, 3_000_000):
        found = Findings(profile=PROFILE)
        readers = STRANGERS["records and CSV"][0].readers
        with asking(Stranger(route="/invocations", readers=readers, limit_bytes=limit), PROFILE) as asker:
            look_at_limit(asker, found)
        assert found.profile.http.body_limit_bytes == limit


def test_nobody_in_is_nothing_found() -> None:
    with asking(Stranger(route="/x", readers=()), PROFILE) as asker:
        pass
    assert find_spot({"gone": asker}, PROFILE, budget_s=0.0) is None


def test_the_prediction_is_told_from_other_numbers() -> None:
    windows = [window_at(PROFILE, level) for level in LEVELS]
    closes = [float(str(window.newest("price_close"))) for window in windows]

    def found(*answers: object) -> object:
        samples = [Sample(window=window, found=one) for window, one in zip(windows, answers, strict=True)]
        return prediction_in(samples, PROFILE.window)

    answers = [{"took_ms": 1.5 + at, "count": 60, "y": {"mean": close * 1.01}} for at, close in enumerate(closes)]
    assert found(*answers) == ("y.mean", Grip.FOLLOWS)
    assert found({"count": 60, "price": 1.0}, {"count": 60, "price": 1.0}) == ("price", Grip.IS_THERE)
    assert found({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 3.0}) == ("b", Grip.CHANGES)
    assert found({"a": "1", "b": True}, {"a": "1", "b": True}) is None
