"""Judging is pure: each broken promise is named by its rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.contract.judge import judge_error_body, judge_prediction, judge_refusal, judge_same
from harness.contract.keys import Refusals
from harness.contract.profile import load_profile
from harness.contract.records import Window, build
from harness.contract.series import Second, generate
from harness.system.client import Answer

PROFILE = load_profile()
QUIET = build(PROFILE.window, generate(seed=1, seconds=60), end_ns=1_790_000_000 * 10**9)
LAST = float(str(QUIET.newest("price_close")))
GOOD: dict[str, Any] = {
    "prediction": LAST * 1.0001,
    "as_of": QUIET.newest("time_period_end"),
    "horizon_s": 1,
    "model": {"name": "m", "version": "1"},
    "anomalies": [],
}
FLAG = [{"code": "jump", "message": "it jumped"}]


def answer(content: object, status: int = 200, kind: str = "application/json") -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(status=status, headers={"content-type": kind}, body=body, elapsed_s=0.1)


def rules(window: Window, found: Answer) -> set[str]:
    return {violation.rule for violation in judge_prediction(window, found, PROFILE)}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, set()),
        ({"prediction": 0.0}, {"P1", "P3"}),
        ({"prediction": -LAST}, {"P1", "P3"}),
        ({"prediction": LAST * 1.02}, {"P3"}),
        ({"prediction": str(LAST)}, {"P0"}),
        ({"prediction": True}, {"P0"}),
        ({"as_of": "2020-01-01T00:00:00Z"}, {"P0"}),
        ({"horizon_s": 2}, {"P0"}),
        ({"model": {"name": "m"}}, {"P0"}),
        ({"anomalies": None}, {"P0"}),
        ({"anomalies": [{"code": 1}]}, {"P0"}),
        ({"anomalies": FLAG}, {"P5"}),
    ],
)
def test_answer_to_a_quiet_window_is_judged(changes: dict[str, Any], broken: set[str]) -> None:
    assert rules(QUIET, answer(GOOD | changes)) == broken


def test_nan_is_no_prediction() -> None:
    body = json.dumps(GOOD | {"prediction": float("nan")}).encode()
    assert "P1" in rules(QUIET, answer(body))


def test_refusing_a_good_window_breaks_r1() -> None:
    assert rules(QUIET, answer({"error": {}}, status=422)) == {"R1"}


@pytest.mark.parametrize(
    ("anomalies", "share", "broken"),
    [(FLAG, 1.0, set()), ([], 1.0, {"P5"}), (FLAG, 1.06, {"P5"}), (FLAG, 0.75, {"P5"})],
)
def test_jump_must_be_flagged_and_followed(anomalies: list[Any], share: float, broken: set[str]) -> None:
    window = _with_last_close(LAST + 10_000)
    changes = {"anomalies": anomalies, "prediction": (LAST + 10_000) * share}
    assert rules(window, answer(GOOD | changes)) == broken


def test_what_moves_within_a_second_is_not_quiet_although_its_close_is() -> None:
    records = QUIET.editable()
    records[30]["price_high"] = float(str(records[30]["price_high"])) * 1.03
    window = Window(records=tuple(records))
    assert rules(window, answer(GOOD)) == rules(window, answer(GOOD | {"anomalies": FLAG})) == set()


@pytest.mark.parametrize("share", [1.051, 1 / 1.051])
def test_a_move_that_is_a_jump_by_one_reading_alone_may_be_flagged_or_not(share: float) -> None:
    window = _with_last_close(LAST * share)
    answers = [answer(GOOD | {"anomalies": found, "prediction": LAST * share}) for found in ([], FLAG)]
    assert [rules(window, one) for one in answers] == [set(), set()]


def test_move_between_quiet_and_jump_may_be_flagged_or_not() -> None:
    window = _with_last_close(LAST * 1.03)
    assert rules(window, answer(GOOD)) == rules(window, answer(GOOD | {"anomalies": FLAG})) == set()


@pytest.mark.parametrize(
    ("content", "kind", "is_right"),
    [
        ({"error": {"code": "x", "dimension": None, "message": "no such route"}}, "application/json", True),
        ({"error": {"code": "x", "dimension": None, "message": "no such route"}}, "text/html", False),
        ({"error": {"code": "x", "message": "no"}}, "application/json", False),
        ({"error": "no"}, "application/json", False),
        (b"<html>", "application/json", False),
        ({"error": {"code": "x", "dimension": None, "message": "KeyError: 'window'"}}, "application/json", False),
        ({"error": {"code": "x", "dimension": None, "message": "in /usr/lib/x"}}, "application/json", False),
        ({"error": {"code": "x", "dimension": None, "message": "Traceback (most"}}, "application/json", False),
        ({"error": {"code": "x", "dimension": None, "message": "see app.py"}}, "application/json", False),
    ],
)
def test_error_body_is_judged(content: object, kind: str, is_right: bool) -> None:  # noqa: FBT001 - a column of the table
    assert (judge_error_body(answer(content, 404, kind), Refusals()) == []) is is_right


def test_refusal_needs_status_and_dimension() -> None:
    refusal = answer({"error": {"code": "x", "dimension": "accuracy", "message": "no"}}, status=422)
    assert judge_refusal(refusal, Refusals(), rule="D1", status=[422], dimensions={"accuracy"}) == []
    assert [v.rule for v in judge_refusal(refusal, Refusals(), rule="D9", status=[422], dimensions={"timeliness"})] == [
        "D9"
    ]
    assert [v.rule for v in judge_refusal(refusal, Refusals(), rule="C9", status=[400])] == ["C9"]


def test_same_window_must_get_the_same_prediction() -> None:
    near, far = GOOD | {"prediction": LAST * 1.0001 * (1 + 5e-7)}, GOOD | {"prediction": LAST * 1.0002}
    assert judge_same(answer(GOOD), answer(near), PROFILE, what="again") == []
    assert [v.rule for v in judge_same(answer(GOOD), answer(far), PROFILE, what="again")] == ["P2"]


def _with_last_close(close: float) -> Window:
    seconds = generate(seed=1, seconds=60)[:-1]
    last = Second(
        open=close, high=close, low=close, close=close, volume=1.0, count=1, first_event_ns=0, last_event_ns=0
    )
    return build(PROFILE.window, [*seconds, last], end_ns=1_790_000_000 * 10**9)
