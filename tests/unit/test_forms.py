"""A window in every form in which a container may want it, and an answer in which the prediction stands anywhere."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import pytest

from harness.audit.model.asking import reply_of
from harness.contract.answer_path import PathInvalid, at_path, steps_of
from harness.contract.breaches import kinds_of_breaches
from harness.contract.data_rules import broken_rules
from harness.contract.good_windows import each_way
from harness.contract.judge import judge_error_body, judge_prediction, judge_refusal, judge_same, prediction_of
from harness.contract.keys import AnswerRule, Refusals
from harness.contract.malformed import is_json
from harness.contract.profile import load_profile
from harness.contract.records import Window, build, content_type, encode, last_whole_second_ns
from harness.contract.series import generate
from harness.contract.window_rule import OF_TIMES
from harness.experiment.probe import classify
from harness.faults.attempt import Attempt, Question
from harness.load.broken import WAYS, ways_for
from harness.release.endpoint.tally import Invocation
from harness.release.rollout.facts import Facts
from harness.system.client import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.contract.profile import Profile, WindowRule
    from harness.experiment.record import Probe
    from harness.release.rollout.record import Seen

NOW_S = 1_790_000_000.25
PROFILE = load_profile()
RULE = PROFILE.window
GOOD = build(RULE, generate(seed=1, seconds=RULE.records), end_ns=last_whole_second_ns(NOW_S))
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


def test_rows_hold_values_in_their_places_whatever_order_a_record_is_in() -> None:
    mixed = [{"note": 1, **dict(reversed(list(record.items())))} for record in GOOD.records]
    for columns in ((), ("price_close", "price_open")):
        rule = replace(RULE, key="instances", json="rows", columns=columns)
        names = columns or tuple(RULE.fields)
        rows = [[record[name] for name in names] for record in GOOD.records]
        assert json.loads(encode(rule, GOOD)) == json.loads(encode(rule, _window(mixed))) == {"instances": rows}


def test_a_batch_of_one_has_one_list_or_one_size_more() -> None:
    of_form: dict[str, Callable[[Any], object]] = {
        "rows": lambda found: found["instances"][0][-1][-1],
        "columns": lambda found: found["instances"][0]["price_close"][-1],
        "v2": lambda found: found["instances"][0]["data"][-1],
        "tensor": lambda found: found["instances"][0]["data"][-1],
    }
    for form, look in of_form.items():
        columns = ("price_close",) if form in ("rows", "tensor") else ()
        batch = written(key="instances", json=form, batch=True, columns=columns)
        assert look(batch) == (CLOSES[-1] if form != "v2" else GOOD.records[-1]["time_period_start"]), form
        assert len(batch["instances"]) == (1 if form != "v2" else len(RULE.fields))
    assert written(json="v2", batch=True)["window"][0]["shape"] == [1, 60]


def test_one_tensor_holds_numbers_row_by_row() -> None:
    numbers = RULE.of_kind("number", "integer")
    (tensor,) = written(key="inputs", json="tensor", tensor_name="x", tensor_datatype="FP32")["inputs"]
    assert (tensor["name"], tensor["datatype"], tensor["shape"]) == ("x", "FP32", [60, len(numbers)])
    assert tensor["data"] == [record[name] for record in GOOD.records for name in numbers]
    (batch,) = written(key="inputs", json="tensor", columns=("price_close",), batch=True)["inputs"]
    assert (batch["shape"], batch["data"]) == ([1, 60, 1], CLOSES)


def test_what_is_missing_makes_a_tensor_short_of_its_shape() -> None:
    records = GOOD.editable()
    del records[7]["price_low"]
    (tensor,) = json.loads(encode(replace(RULE, json="tensor"), _window(records)))["window"]
    assert len(tensor["data"]) == math.prod(tensor["shape"]) - 1


UNTIMED = [replace(RULE, json="tensor", codecs=("json",)), replace(RULE, json="rows", columns=("price_close",))]


@pytest.mark.parametrize("rule", UNTIMED, ids=lambda rule: rule.json)
def test_no_breach_is_sent_that_no_body_shows(rule: WindowRule) -> None:
    good, found = encode(rule, GOOD), kinds_of_breaches(rule)
    for rule_id, kinds in found.items():
        assert bool(kinds) == (rule_id not in OF_TIMES), rule_id
        for breach, codec in (sent for kind in kinds for sent in kind.always):
            assert encode(rule, breach.of(GOOD), "json") != good or codec == "csv", breach
            assert rule_id in broken_rules(rule.as_sent, breach.of(GOOD), now_s=NOW_S), breach
    assert broken_rules(rule.as_sent, GOOD, now_s=NOW_S + 1e6) == set()
    assert broken_rules(rule, GOOD, now_s=NOW_S + 1e6) == {"D9"}
    profile = replace(PROFILE, window=rule)
    assert {WAYS[way].rule for way in ways_for(profile, GOOD, now_s=NOW_S)} <= {"C9", "D3", "D4", "D5"}


def test_what_is_sent_whole_is_as_it_was() -> None:
    assert replace(RULE, json="rows").as_sent.tells_time
    assert RULE.as_sent is RULE
    assert replace(RULE, json="tensor", codecs=("csv",)).tells_time


@pytest.mark.parametrize("form", ["split", "rows", "columns", "v2", "tensor"])
@pytest.mark.parametrize("batch", [False, True])
def test_a_good_window_is_good_in_every_way_and_form(form: Any, *, batch: bool) -> None:  # noqa: ANN401 - a form is what JSON gives
    rule = replace(RULE, json=form, batch=batch and form != "split")
    for way in each_way(rule):
        assert is_json(way.body(rule, GOOD, "json")), way


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
    ("path", "found"),
    [
        *(("a.b[1]", 3), ("a.b", [2, 3]), ("a", {"b": [2, 3]}), ("", {"a": {"b": [2, 3]}})),
        *(("$.a.b[1]", 3), ("$.a", {"b": [2, 3]}), ("$", {"a": {"b": [2, 3]}})),
    ],
)
def test_a_path_leads_into_an_answer(path: str, found: object) -> None:
    assert at_path({"a": {"b": [2, 3]}}, path) == found


@pytest.mark.parametrize(
    ("found", "path", "value"),
    [
        *((64000.1, "$", 64000.1), ([1, [2]], "$[1][0]", 2), ([1, [2]], "[1][0]", 2), ([{"a": 3}], "$[0].a", 3)),
        *(({"$price": 4}, "$price", 4), ({"$": 5}, "$.$", 5), ([1], "$[1]", None), (7, "$.a", None)),
    ],
)
def test_an_answer_may_be_no_object(found: object, path: str, value: object) -> None:
    assert at_path(found, path) == value


@pytest.mark.parametrize("path", ["a.c", "a.b[2]", "a[0]", "b"])
def test_a_path_may_lead_nowhere(path: str) -> None:
    assert at_path({"a": {"b": [2, 3]}}, path) is None


@pytest.mark.parametrize("path", [".a", "a..b", "a[", "a[x]", "a]", "[-1]", "$.", "$..a", "$[x]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(PathInvalid, match="write it as"):
        steps_of(path)


def _window(records: Sequence[Mapping[str, object]]) -> Window:
    return Window(records=tuple(records))


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


@pytest.mark.parametrize(("path", "around"), [("$", lambda it: it), ("$[0]", lambda it: [it, 0.5])])
def test_whoever_reads_an_answer_reads_one_that_is_no_object(path: str, around: Callable[[float], object]) -> None:
    last = float(str(CLOSES[-1]))
    profile = replace(BARE, answer=replace(BARE.answer, prediction=path))
    right, wrong, none = answer(around(last)), answer(around(math.nan)), answer("no JSON")
    assert judge_prediction(GOOD, right, profile) == judge_same(right, right, profile, what="again") == []
    assert {one.rule for one in judge_prediction(GOOD, wrong, profile)} == {"P1", "P3"}
    assert {one.rule for one in judge_prediction(GOOD, none, profile)} == {"P0"}
    assert (reply_of(right, profile).prediction, reply_of(right, profile).interval) == (last, None)
    assert not reply_of(right, profile).is_flagged
    seen = _seen(right, profile)
    assert (seen.wrong, seen.reference and seen.reference.is_flagged_alike) == ("", True)
    assert _seen(wrong, profile).wrong.startswith("P1")
    with_end = replace(profile, answer=replace(profile.answer, as_of="as_of"))
    assert _probe(right, with_end).got_as_of == ""
    assert _probe(right, profile).outcome == "right"


def test_a_window_in_another_form_is_no_window_of_records() -> None:
    other = replace(BARE, window=replace(RULE, json="v2", key="inputs"))
    assert _seen(answer({"predictions": [1.0]}), other).wrong == ""


def _seen(given: Answer, profile: Profile) -> Seen:
    """Return what a release sees of an answer: the challenger's, and the champion's to the same window."""
    one = Invocation(
        number=1,
        variant="a",
        inference_id="",
        is_shadow=False,
        began_at_s=0.0,
        latency_s=0.01,
        outcome="ok",
        status=200,
        content_type="application/json",
        body=encode(profile.window, GOOD),
        answer=given.body,
    )
    return Facts(profile=profile).seen(one, at_s=0.0, share=0.5, is_challenger=True, ask=None, check=one)


def _probe(given: Answer, profile: Profile) -> Probe:
    question = Question(asked="good", body=encode(profile.window, GOOD), window=GOOD)
    attempt = Attempt(
        question=question, request_id="", due_s=0.0, sent_s=0.0, answered_s=0.0, answered_at=NOW_S, answer=given
    )
    return classify(attempt, profile, origin_s=0.0)


def test_a_refusal_has_the_statuses_and_the_body_that_are_promised() -> None:
    promise = Refusals(malformed=(400, 500), broken=(400,), body="json", dimension=False)
    told = answer({"message": "no"}, 400)
    assert judge_refusal(told, promise, rule="D4", status=[422], dimensions={"accuracy"}) == []
    assert judge_refusal(answer({"message": "no"}, 500), promise, rule="C9", status=[400]) == []
    assert [v.rule for v in judge_refusal(answer("no", 400), promise, rule="D4", status=[422])] == ["C10"]
    assert judge_error_body(answer("no", 400, "text/plain"), Refusals(body="any")) == []
    leaky = answer("Traceback (most recent call last)", 400, "text/plain")
    assert [v.rule for v in judge_error_body(leaky, Refusals(body="any"))] == ["C10"]
