from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.contract.profile import load_profile
from harness.contract.series import generate
from harness.contract.verdict import Verdict
from harness.load.judge import judge_load
from harness.load.payloads import Origin, window_at
from harness.load.plan import Plan, read_plan
from harness.load.record import NOT_STARTED, Attempt, Generator, LoadRecord, RecordBroken, read_record
from harness.load.sheet import Batch, Sheet

if TYPE_CHECKING:
    from pathlib import Path

PROFILE = load_profile()
PLAN = Plan(
    url="http://127.0.0.1:1",
    profile=PROFILE,
    series=tuple(generate(seed=1, seconds=100)),
    rate_per_s=20,
    duration_s=30,
    seed=0,
)
ORIGIN = Origin(offset=7, end_ns=1_700_000_000_000_000_000)
WINDOW = window_at(PLAN, ORIGIN)
RIGHT = {
    "prediction": WINDOW.newest("price_close"),
    "as_of": WINDOW.newest("time_period_end"),
    "horizon_s": 1,
    "model": {"name": "m", "version": "1"},
    "anomalies": [],
}
RIGHT_BODY = json.dumps(RIGHT)
CALM = dataclasses.replace(NOT_STARTED, cpu_s=3.0, wall_s=32.0, offered=640)


def invocation(index: int, *, latency_s: float = 0.01, **changes: Any) -> Attempt:  # noqa: ANN401 - any field
    due_s = 2 + index / 20
    fields: dict[str, Any] = {
        "kind": "invocation",
        "warm_up": False,
        "outcome": "answered",
        "due_s": due_s,
        "started_s": due_s + 0.001,
        "ended_s": due_s + latency_s,
        "status": 200,
        "codec": "json",
        "offset": ORIGIN.offset,
        "end_ns": ORIGIN.end_ns,
        "body": RIGHT_BODY,
    }
    return Attempt(**{**fields, **changes})


def ping(**changes: Any) -> Attempt:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {"offset": None, "end_ns": None, "codec": None, "body": "", "connect_s": 0.001}
    return invocation(5, **{"kind": "ping", **fields, **changes})


def broken(way: str = "a null", **changes: Any) -> Attempt:  # noqa: ANN401 - any field
    error = {"code": "refused", "dimension": "completeness", "message": "no"}
    fields: dict[str, Any] = {"status": 422, "content_type": "application/json", "body": json.dumps({"error": error})}
    return invocation(6, **{"kind": "broken", "way": way, **fields, **changes})


def record(
    *changed: Attempt,
    pings: tuple[Attempt, ...] = (ping(),),
    refused: tuple[Attempt, ...] = (broken(),),
    count: int = 600,
    generator: Generator = CALM,
) -> LoadRecord:
    """Make a good record of `count` requests, of which the first are `changed`."""
    good = [invocation(index) for index in range(len(changed), count)]
    attempts = (*changed, *good, *pings, *refused)
    return LoadRecord(plan=PLAN, attempts=attempts, generators=(generator,), begin_s=2, end_s=32)


def broken_rules(found: LoadRecord) -> set[str]:
    judgement = judge_load(found, PROFILE)
    assert (judgement.verdict is Verdict.FAILED) == bool(judgement.violations)
    return {violation.rule for violation in judgement.violations}


def test_a_good_record_passes() -> None:
    judgement = judge_load(record(), PROFILE)
    assert judgement.verdict is Verdict.PASSED
    assert judgement.figures.latencies.p99_s == pytest.approx(0.01)
    assert judgement.figures.outcomes == {"status 200": 600}
    assert judgement.figures.achieved_per_s == pytest.approx(601 / 30)


def test_one_late_answer_in_600_is_within_p99() -> None:
    assert judge_load(record(invocation(0, latency_s=3)), PROFILE).verdict is Verdict.PASSED


def test_too_few_late_answers_to_tell_are_unknown() -> None:
    judgement = judge_load(record(*(invocation(index, latency_s=3) for index in range(6, 11))), PROFILE)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "more requests" in judgement.findings["latency"].reason


def test_many_late_answers_fail() -> None:
    late = record(*(invocation(index, latency_s=1.001) for index in range(18)))
    assert broken_rules(late) == {"P7"}
    assert "18 of 600 (3.00%)" in str(judge_load(late, PROFILE).violations[0])


def test_too_few_requests_are_unknown() -> None:
    few = dataclasses.replace(record(count=80), end_s=6.0)
    judgement = judge_load(few, PROFILE)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "needs 219 more" in judgement.findings["latency"].reason


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"status": 500, "body": "oops"}, {"P7"}),
        ({"status": 503, "retry_after": "1"}, {"P7"}),
        ({"status": 503}, {"P7", "C13"}),
        ({"status": 503, "retry_after": "soon"}, {"P7", "C13"}),
        ({"status": 422, "body": "no"}, {"P7", "R1"}),
        ({"status": None, "outcome": "refused"}, {"P7", "C16"}),
        ({"status": None, "outcome": "closed"}, {"P7"}),
        ({"status": None, "outcome": "timed out", "latency_s": 15}, {"P7", "C13"}),
        ({"body": "{}"}, {"P7", "P0"}),
        ({"body": json.dumps(RIGHT | {"as_of": "2020-01-01T00:00:00Z"})}, {"P7", "P0"}),
        ({"body": json.dumps(RIGHT | {"prediction": 0})}, {"P7", "P1", "P3"}),
        ({"connect_s": 0.3}, {"C16"}),
    ],
)
def test_one_error_fails_under_its_rule(changes: dict[str, Any], rules: set[str]) -> None:
    assert broken_rules(record(invocation(0, **changes))) == rules


def test_answers_to_one_window_must_agree() -> None:
    other = json.dumps(RIGHT | {"prediction": float(str(RIGHT["prediction"])) * 1.0001})
    assert broken_rules(record(invocation(0), invocation(1, body=other))) == {"P7", "P2"}


@pytest.mark.parametrize("changes", [{"status": 503}, {"latency_s": 2.1}, {"status": None, "outcome": "timed out"}])
def test_a_bad_ping_fails(changes: dict[str, Any]) -> None:
    assert broken_rules(record(pings=(ping(**changes),))) == {"C3"}


def test_what_is_broken_is_refused_and_does_not_count_for_the_budget() -> None:
    judgement = judge_load(record(refused=(broken(latency_s=5), broken("newest first", latency_s=5))), PROFILE)
    assert judgement.verdict is Verdict.PASSED
    assert judgement.over_budget.of == 600
    assert judgement.figures.broken == {"refused": 2}


@pytest.mark.parametrize(
    ("way", "changes", "rules"),
    [
        ("a null", {"status": 200, "body": json.dumps(RIGHT)}, {"D4"}),
        ("a record short", {"status": 500, "body": "oops"}, {"D5"}),
        ("too old", {"status": 400}, {"D9"}),
        ("a price below zero", {}, {"D3"}),  # the dimension of another rule
        ("cut short", {}, {"C9"}),
        ("newest first", {"status": 422, "body": "no"}, {"C10"}),
        ("a null", {"status": None, "outcome": "closed"}, {"D4"}),
        ("a null", {"status": None, "outcome": "timed out", "latency_s": 15}, {"C13"}),
        ("a null", {"status": 503, "retry_after": "1"}, set()),
    ],
)
def test_a_wrong_refusal_fails_under_its_rule(way: str, changes: dict[str, Any], rules: set[str]) -> None:
    assert broken_rules(record(refused=(broken(), broken(way, **changes)))) == rules


def test_a_load_without_broken_requests_is_no_proof_of_refusals() -> None:
    assert judge_load(record(refused=()), PROFILE).findings["refusals"].verdict is Verdict.UNKNOWN
    sound = dataclasses.replace(PROFILE, load=dataclasses.replace(PROFILE.load, broken_share=0))
    assert "refusals" not in judge_load(record(refused=()), sound).findings


def test_dropped_requests_count_as_over_budget() -> None:
    dropped = (invocation(index, status=None, outcome="dropped", started_s=None) for index in range(60))
    judgement = judge_load(record(*dropped), PROFILE)
    assert judgement.over_budget.hits == 60
    assert judgement.findings["latency"].verdict is Verdict.FAILED


def test_a_generator_that_lagged_makes_times_unknown_and_excuses_no_error() -> None:
    late = [invocation(index, latency_s=3, started_s=4 + index / 20) for index in range(60)]
    judgement = judge_load(record(*late), PROFILE)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "lag" in judgement.spoiled[0]
    assert broken_rules(record(*late, invocation(60, status=500))) == {"P7"}
    assert broken_rules(record(*late, invocation(60, status=503, retry_after="1"))) == set()


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (record(generator=dataclasses.replace(CALM, cpu_s=30.0)), "CPU"),
        (record(invocation(0, status=None, outcome="ours", detail="no more files")), "no more files"),
        (record(count=500), "sent 501 of 600"),
        (record(count=0, refused=()), "sent 0 of 600"),
    ],
)
def test_a_generator_that_failed_makes_the_verdict_unknown(found: LoadRecord, why: str) -> None:
    judgement = judge_load(found, PROFILE)
    assert judgement.verdict is Verdict.UNKNOWN
    assert why in "; ".join(judgement.spoiled)


def test_the_warm_up_is_told_and_does_not_count() -> None:
    cold = dataclasses.replace(invocation(0, latency_s=5), warm_up=True)
    whole = record()
    judgement = judge_load(dataclasses.replace(whole, attempts=(cold, *whole.attempts)), PROFILE)
    assert judgement.verdict is Verdict.PASSED
    assert judgement.figures.warm_up.first_s == pytest.approx(5)
    assert "warm-up, not counted: 1 answers" in str(judgement)


def test_a_plan_travels_unchanged() -> None:
    assert read_plan(PLAN.to_json()) == PLAN


def test_a_record_travels_unchanged_and_a_cut_one_is_refused(tmp_path: Path) -> None:
    path, whole = tmp_path / "record.jsonl", record(pings=(), refused=())
    Sheet(PLAN, tmp_path).take(Batch(attempts=whole.attempts, generator=CALM, until_s=32, is_last=True))
    assert read_record(path, PLAN) == whole
    path.write_text(path.read_text()[:-30])
    with pytest.raises(RecordBroken, match="not a whole record"):
        read_record(path, PLAN)


def test_a_connection_that_was_slow_while_we_stood_still_is_no_fault_of_the_sut() -> None:
    slow = ping(connect_s=0.4)
    assert broken_rules(record(pings=(slow,))) == {"C16"}
    stalled = [invocation(at, started_s=2 + at / 20 + 0.3, latency_s=0.35) for at in range(6, 10)]
    kept = [invocation(at) for at in range(6)]
    assert broken_rules(record(*kept, *stalled, pings=(slow,))) == set()


def test_a_long_answer_is_judged_whole() -> None:
    long = json.dumps(RIGHT | {"explanation": "x" * 200_000})
    assert broken_rules(record(invocation(0, body=long))) == set()


def test_a_ping_that_we_could_not_send_is_no_ping_that_failed() -> None:
    ours = ping(outcome="ours", status=None, connect_s=None)
    judgement = judge_load(record(pings=(ours,)), PROFILE)
    assert judgement.findings["ping"].verdict is Verdict.UNKNOWN
    assert judgement.violations == ()
