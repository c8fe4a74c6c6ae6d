"""What is sent, when, and what an answer to it counts as."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from dataclasses import replace

import pytest

from harness.contract.data_rules import broken_rules
from harness.contract.profile import Chaos, load_profile
from harness.contract.series import generate
from harness.experiment.bait import INVALID, Bait
from harness.experiment.probe import classify
from harness.experiment.prober import Prober
from harness.experiment.schedule import schedule
from harness.faults.attempt import Attempt, Question
from harness.system.client import Answer

PROFILE = load_profile()
NOW = 1_700_000_000.5
SERIES = generate(seed=1, seconds=300)


def _bait() -> Bait:
    return Bait(PROFILE.window, SERIES)


def _right(question: Question) -> dict[str, object]:
    assert question.window is not None
    newest = question.window.records[-1]
    model = {"name": "last close", "version": "1"}
    rest = {"as_of": newest["time_period_end"], "horizon_s": 1, "model": model, "anomalies": []}
    return {"prediction": newest["price_close"], **rest}


def _outcome(question: Question, status: int | None, body: object = None, *, after_s: float = 0.1) -> str:
    answer = (
        None if status is None else Answer(status=status, headers={}, body=json.dumps(body).encode(), elapsed_s=0.1)
    )
    attempt = Attempt(
        question=question,
        request_id="id",
        due_s=0.0,
        sent_s=0.0,
        answered_s=after_s,
        answered_at=NOW + after_s,
        answer=answer,
        failure="" if answer else "refused",
    )
    return classify(attempt, PROFILE, origin_s=0.0).outcome


def test_the_schedule_keeps_every_rate_and_never_goes_back() -> None:
    chaos = Chaos(probe_rate_per_s=20, ping_rate_per_s=2, invalid_rate_per_s=1)
    due = list(itertools.takewhile(lambda entry: entry[0] < 10, schedule(chaos)))
    # The window that is kept is one of those that the rate counts.
    assert Counter(asked for _, asked in due) == {"good": 180, "ping": 20, "same": 20, "invalid": 10}
    assert [moment for moment, _ in due] == sorted(moment for moment, _ in due)


def test_good_windows_are_good_and_lie_at_levels_far_apart() -> None:
    bait = _bait()
    windows = [question.window for question in (bait.good(NOW) for _ in range(4))]
    closes = sorted(float(str(window.newest("price_close"))) for window in windows if window)
    assert all(window is not None and not broken_rules(PROFILE.window, window, now_s=NOW) for window in windows)
    assert all(later > 1.2 * earlier for earlier, later in itertools.pairwise(closes))


def test_the_kept_window_stays_the_same_until_it_is_nearly_too_old() -> None:
    bait = _bait()
    bait.keep(NOW)
    first, later = bait.same(NOW), bait.same(NOW + 50)
    assert first is not None
    assert first is later
    assert bait.same(NOW + 56) is None


def test_each_invalid_body_breaks_the_rule_that_it_names() -> None:
    bait = _bait()
    found = {bait.invalid(NOW + turn).breaks for turn in range(4)}
    assert found == {"C9", "D4", "D5", "D9"}


@pytest.mark.parametrize("kept", [(), ("C9",), ("D5", "D9")])
def test_what_a_profile_waives_is_not_asked_for(kept: tuple[str, ...]) -> None:
    waived = dict.fromkeys(set(INVALID) - set(kept), "not promised")
    prober = Prober("http://127.0.0.1:9", replace(PROFILE, waived=waived), SERIES)
    asked = [prober.question_at("invalid", NOW + turn) for turn in range(4)]
    assert {question.breaks for question in asked if question} == set(kept)


@pytest.mark.parametrize(
    ("status", "outcome"), [(503, "refused"), (500, "failed"), (422, "wrong"), (404, "wrong"), (None, "failed")]
)
def test_what_an_answer_to_a_good_window_counts_as(status: int | None, outcome: str) -> None:
    assert _outcome(_bait().good(NOW), status, {}) == outcome


def test_a_right_answer_is_right_and_a_changed_one_is_wrong() -> None:
    question = _bait().good(NOW)
    assert _outcome(question, 200, _right(question)) == "right"
    assert _outcome(question, 200, {**_right(question), "prediction": -1.0}) == "wrong"


def test_a_window_that_grew_old_on_its_way_may_be_refused() -> None:
    assert _outcome(_bait().good(NOW), 422, {}, after_s=61.0) == "refused"


@pytest.mark.parametrize(("status", "outcome"), [(422, "refused"), (503, "refused"), (200, "wrong"), (500, "failed")])
def test_what_an_answer_to_an_invalid_body_counts_as(status: int, outcome: str) -> None:
    assert _outcome(_bait().invalid(NOW), status, {}) == outcome


@pytest.mark.parametrize(("status", "outcome"), [(200, "right"), (503, "refused"), (500, "failed"), (None, "failed")])
def test_what_an_answer_to_a_ping_counts_as(status: int | None, outcome: str) -> None:
    assert _outcome(Question(asked="ping"), status, {}) == outcome


def test_building_a_second_of_probes_costs_little() -> None:
    bait, began_s = _bait(), time.perf_counter()
    for turn in range(20):
        bait.good(NOW + turn / 40)
    assert time.perf_counter() - began_s < 0.2
