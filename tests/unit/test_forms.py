"""A window in every form in which a container may want it, and an answer in which the prediction stands anywhere."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from email import message_from_bytes
from typing import Any

import pytest

from harness.contract.answer_path import PathInvalid, at_path, steps_of
from harness.contract.breaches import kinds_of_breaches
from harness.contract.judge import judge_error_body, judge_prediction, judge_refusal, prediction_of
from harness.contract.keys import AnswerRule, Refusals
from harness.contract.profile import load_profile
from harness.contract.records import build, content_type, encode, last_whole_second_ns
from harness.contract.series import generate
from harness.system.client import Answer

PROFILE = load_profile()
RULE = PROFILE.window
GOOD = build(RULE, generate(seed=1, seconds=RULE.records), end_ns=last_whole_second_ns(1_790_000_000.25))
CLOSES = [record["price_close"] for record in GOOD.records]
BARE = replace(PROFILE, answer=AnswerRule(prediction="predictions[0]", as_of="", horizon="", model="", anomalies=""))


def written(**form: Any) -> Any:  # noqa: ANN401 - a form is what JSON gives
    rule = replace(RULE, **form)
    assert content_type(rule) == "application/json"
    return json.loads(encode(rule, GOOD))


def test_dataframe_split_holds_columns_and_rows() -> None:
    split = written(key="dataframe_split", json="split")["dataframe_split"]
    assert split["columns"] == list(RULE.fields)
    assert [row[split["columns"].index("price_close")] for row in split["data"]] == CLOSES


def test_dataframe_records_are_records_under_their_own_key() -> None:
    assert [one["price_close"] for one in written(key="dataframe_records")["dataframe_records"]] == CLOSES


def test_instances_are_rows_and_inputs_are_columns() -> None:
    place = list(RULE.fields).index("price_close")
    assert [row[place] for row in written(key="instances", json="rows")["instances"]] == CLOSES
    assert written(key="inputs", json="columns")["inputs"]["price_close"] == CLOSES


def test_the_open_inference_protocol_has_a_tensor_a_field() -> None:
    tensors = {tensor["name"]: tensor for tensor in written(key="inputs", json="v2")["inputs"]}
    assert tensors["price_close"] == {"name": "price_close", "shape": [60], "datatype": "FP64", "data": CLOSES}
    kinds = [tensors[name]["datatype"] for name in ("trades_count", "time_period_end")]
    assert kinds == ["INT64", "BYTES"]


def test_csv_may_be_a_file_of_a_form() -> None:
    rule = replace(RULE, codecs=("csv",), csv="multipart", csv_field="upload")
    kind, body = content_type(rule), encode(rule, GOOD)
    whole: Any = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    (part,) = whole.get_payload()
    assert part.get_param("name", header="content-disposition") == "upload"
    assert part.get_filename() == "window.csv"
    rows = csv.DictReader(io.StringIO(part.get_payload(decode=True).decode()))
    assert [float(row["price_close"]) for row in rows] == CLOSES


def test_a_codec_that_is_not_taken_stands_for_the_first_that_is() -> None:
    only = replace(RULE, codecs=("csv",))
    assert encode(only, GOOD, "json") == encode(only, GOOD, "csv") == encode(RULE, GOOD, "csv")
    assert content_type(only, "json") == "text/csv"


def test_breaches_are_those_that_the_codecs_can_carry() -> None:
    for kinds in kinds_of_breaches(replace(RULE, codecs=("csv",))).values():
        assert kinds
        assert all(codec == "csv" and breach.codecs == ("csv",) for kind in kinds for breach, codec in kind.always)


@pytest.mark.parametrize(
    ("path", "found"), [("a.b[1]", 3), ("a.b", [2, 3]), ("a", {"b": [2, 3]}), ("", {"a": {"b": [2, 3]}})]
)
def test_a_path_leads_into_an_answer(path: str, found: object) -> None:
    assert at_path({"a": {"b": [2, 3]}}, path) == found


@pytest.mark.parametrize("path", ["a.c", "a.b[2]", "a[0]", "b"])
def test_a_path_may_lead_nowhere(path: str) -> None:
    assert at_path({"a": {"b": [2, 3]}}, path) is None


@pytest.mark.parametrize("path", [".a", "a..b", "a[", "a[x]", "a]", "[-1]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(PathInvalid, match="write it as"):
        steps_of(path)


def answer(content: object, status: int = 200, kind: str = "application/json") -> Answer:
    body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
    return Answer(status=status, headers={"content-type": kind}, body=body, elapsed_s=0.01)


def test_only_what_is_promised_of_an_answer_is_demanded() -> None:
    last = float(str(CLOSES[-1]))
    assert prediction_of(answer({"predictions": [last]}), BARE) == last
    assert judge_prediction(GOOD, answer({"predictions": [last]}), BARE) == []
    for wrong, rule in (
        ({"predictions": []}, "P0"),
        ({"predictions": [2 * last]}, "P3"),
        ({"predictions": [-1]}, "P1"),
    ):
        assert rule in {violation.rule for violation in judge_prediction(GOOD, answer(wrong), BARE)}


def test_a_refusal_has_the_statuses_and_the_body_that_are_promised() -> None:
    promise = Refusals(malformed=(400, 500), broken=(400,), body="json", dimension=False)
    told = answer({"message": "no"}, 400)
    assert judge_refusal(told, promise, rule="D4", status=[422], dimensions={"accuracy"}) == []
    assert judge_refusal(answer({"message": "no"}, 500), promise, rule="C9", status=[400]) == []
    assert [v.rule for v in judge_refusal(answer("no", 400), promise, rule="D4", status=[422])] == ["C10"]
    assert judge_error_body(answer("no", 400, "text/plain"), Refusals(body="any")) == []
    leaky = answer("Traceback (most recent call last)", 400, "text/plain")
    assert [v.rule for v in judge_error_body(leaky, Refusals(body="any"))] == ["C10"]
