"""The alarms of a release: on for what is bad, hardly ever for what is good, dark where nothing is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.contract.verdict import Verdict
from harness.release.rollout.alarms import SILENCE_S, Panel
from harness.release.rollout.evidence import Evidence
from harness.release.rollout.machine import Outcome
from harness.release.rollout.record import Beat, Reference, Seen
from tests.unit.made_releases import GOOD, HEADER, Behaviour, released

# Short enough for a unit test; `make proof` and the README speak of longer ones.
SHORT = replace(HEADER, bake_s=10.0, shares=(0.2, 1.0))
ANSWER = Seen(at_s=1.0, is_challenger=True, share=0.1, is_error=False, is_late=False, status=200)


def read(*seen: Seen, beat: Beat | None = None, since_s: float = 0.0) -> dict[str, Verdict]:
    panel = Panel(HEADER)
    for one in seen:
        panel.add(one)
    return {one.alarm: one.verdict for one in panel.read(beat or Beat(at_s=2.0), since_s=since_s)}


def test_nothing_seen_is_nothing_known() -> None:
    found = read()
    assert found.pop("containers") is Verdict.PASSED
    assert set(found.values()) == {Verdict.UNKNOWN}


def test_answers_must_be_many_in_the_step_and_recent() -> None:
    many = [ANSWER] * HEADER.least
    assert read(*many)["answers"] is Verdict.PASSED
    assert read(*many[1:])["answers"] is Verdict.UNKNOWN
    assert read(*many, since_s=1.5)["answers"] is Verdict.UNKNOWN
    assert read(*many, beat=Beat(at_s=1.5 + SILENCE_S))["answers"] is Verdict.UNKNOWN


@pytest.mark.parametrize("beat", [Beat(at_s=2.0, replaced=1), Beat(at_s=2.0, ready=0)])
def test_a_container_lost_is_an_alarm(beat: Beat) -> None:
    assert read(*[ANSWER] * HEADER.least, beat=beat)["containers"] is Verdict.FAILED


def test_one_wrong_answer_is_an_alarm() -> None:
    assert read(*[ANSWER] * HEADER.least, replace(ANSWER, wrong="P1: ..."))["wrong"] is Verdict.FAILED


def test_a_few_errors_beside_a_champion_without_any_are_an_alarm_and_alike_they_are_none() -> None:
    error = replace(ANSWER, is_error=True)
    others = [replace(ANSWER, is_challenger=False)] * 900
    assert read(*others, *[ANSWER] * 100, *[error] * 3)["errors"] is Verdict.FAILED
    alike = [replace(error, is_challenger=False)] * 27
    assert read(*others, *alike, *[ANSWER] * 100, *[error] * 3)["errors"] is Verdict.PASSED


def test_at_full_share_what_is_granted_decides() -> None:
    late = replace(ANSWER, is_late=True, share=1.0)
    alone = replace(ANSWER, share=1.0)
    assert read(*[alone] * 2_000, *[late] * 15)["over budget"] is Verdict.PASSED
    assert read(*[alone] * 2_000, *[late] * 60)["over budget"] is Verdict.FAILED


@pytest.mark.parametrize(
    ("reference", "alarm"),
    [
        (Reference(status=200, miss_bps=None, apart_bps=150.0, is_flagged_alike=True), "parity"),
        (Reference(status=422, miss_bps=None, apart_bps=None, is_flagged_alike=None), "parity"),
        (Reference(status=200, miss_bps=None, apart_bps=1.0, is_flagged_alike=False), "anomalies"),
    ],
)
def test_what_differs_from_the_champion_again_and_again_is_an_alarm(reference: Reference, alarm: str) -> None:
    unlike = replace(ANSWER, reference=reference)
    assert read(*[unlike] * 3)[alarm] is Verdict.FAILED
    failed = replace(unlike, reference=replace(reference, status=500, is_flagged_alike=None))
    assert read(*[failed] * 9)[alarm] is Verdict.UNKNOWN


def test_evidence_exceeds_its_bound_no_more_often_than_it_says() -> None:
    rng, alpha, over = np.random.default_rng(5), 0.05, 0
    for _ in range(400):
        evidence, least = Evidence(), 1.0
        for _ in range(60):
            evidence.add(is_challenger=bool(rng.random() < 0.1), share=0.1)
            least = min(least, evidence.p)
        over += least < alpha
    assert over / 400 <= alpha


def test_evidence_is_gathered_only_where_both_are_called() -> None:
    evidence = Evidence()
    for share in (0.0, 1.0):
        evidence.add(is_challenger=True, share=share)
    assert evidence.p == 1.0
    for _ in range(3):
        evidence.add(is_challenger=True, share=0.1)
    assert evidence.p < 0.01


@pytest.mark.parametrize(
    ("behaviour", "alarm"),
    [
        (Behaviour(errors=0.1), "errors"),
        (Behaviour(late=0.1), "over budget"),
        (Behaviour(wrong=0.05), "wrong"),
        (Behaviour(unlike=0.2), "parity"),
        (Behaviour(worse=1.6), "loss"),
    ],
)
def test_a_bad_challenger_is_rolled_back_in_its_first_step(behaviour: Behaviour, alarm: str) -> None:
    judgement = released(np.random.default_rng(3), behaviour, header=SHORT)
    assert judgement.outcome is Outcome.ROLLED_BACK
    assert len(judgement.steps) == 1
    assert judgement.exposed < judgement.header.planned / 10
    assert alarm in {one.alarm for one in judgement.steps[0].readings if one.verdict is Verdict.FAILED}


def test_a_good_challenger_takes_over_though_it_fails_as_often_as_is_granted() -> None:
    granted = Behaviour(errors=0.004, late=0.008)
    for seed in range(2):
        for behaviour in (GOOD, granted):
            judgement = released(np.random.default_rng(seed), behaviour, behaviour, header=SHORT)
            assert judgement.outcome is Outcome.PROMOTED, judgement.why
