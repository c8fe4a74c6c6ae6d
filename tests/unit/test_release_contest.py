"""A contest over HTTP, with servers of this process in the place of containers, from the first window to the end."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.contract.profile import Release, load_profile
from harness.contract.verdict import Verdict
from harness.release.contest import Contest
from harness.release.finding import Decision
from harness.release.journal import RecordBroken
from harness.release.judge import CannotTell, judge_record
from harness.release.question import broken_questions
from harness.release.record import Header, Record, read_record
from tests.unit.serving_images import Hall

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.release.judge import Judgement

# The times of in-process servers tell nothing: they share one interpreter.
_RELEASE = Release(floor_windows=30, look_every=50, latency_margin=10.0, error_share=0.05, loss_margin=0.02)
_RULES = ("D1", "D2", "D3", "D4", "D5", "D6", "D8", "D11")
PROFILE = replace(load_profile(), release=_RELEASE, waived=dict.fromkeys(_RULES, "fewer windows"))


def hold(
    path: Path,
    challenger: str,
    *,
    windows: int = 100,
    is_sequential: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Judgement, Hall]:
    hall = Hall(profile=PROFILE)
    header = Header(
        champion="good",
        challenger=challenger,
        profile=PROFILE.name,
        budget_s=PROFILE.http.budget_s,
        over_budget_share=0.1,
        skill_limit=PROFILE.prediction.skill_limit,
        broken=len(broken_questions(PROFILE, seed=1)),
        release=replace(_RELEASE, difference_share=0.1),
        is_sequential=is_sequential,
    )
    contest = Contest(header=header, profile=PROFILE, history=None, windows=windows, stage=hall, tell=tell)
    return contest.hold(path), hall


@pytest.fixture(scope="module")
def equals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Judgement, Hall, Record]:
    """Hold a contest of two good images, once."""
    path = tmp_path_factory.mktemp("equals") / "record.jsonl"
    judgement, hall = hold(path, "good as well")
    return judgement, hall, read_record(path)


def test_an_equal_challenger_is_promoted(equals: tuple[Judgement, Hall, Record]) -> None:
    judgement, hall, _ = equals
    assert (judgement.decision, judgement.decision.exit_status) == (Decision.PROMOTE, 0)
    assert sorted(hall.entered) == ["good", "good", "good", "good as well"]
    assert len(judgement.reasons) == len(judgement.findings) == 10


def test_the_record_alone_gives_the_same_judgement_again(equals: tuple[Judgement, Hall, Record]) -> None:
    judgement, _, record = equals
    assert judge_record(record) == judgement
    assert json.loads(judge_record(record).to_json())["decision"] == "PROMOTE"
    assert {pair.regime for pair in record.pairs} == {"quiet", "trending", "jump", "flat", "broken"}
    firsts = [pair.first for pair in record.pairs]
    assert 0.3 < firsts.count("champion") / len(firsts) < 0.7


def test_a_record_that_was_cut_short_tells_something_only_where_it_may_be_watched(
    equals: tuple[Judgement, Hall, Record],
) -> None:
    record = replace(equals[2], is_whole=False)
    with pytest.raises(CannotTell, match="was cut short"):
        judge_record(record)
    watched = replace(record, header=replace(record.header, is_sequential=True))
    assert judge_record(watched).decision is Decision.INCONCLUSIVE


def test_a_challenger_that_refuses_otherwise_is_rejected_for_it(tmp_path: Path) -> None:
    judgement, _ = hold(tmp_path / "record.jsonl", "forgets age", windows=30)
    (failed,) = (finding for finding in judgement.findings if finding.verdict is Verdict.FAILED)
    assert (judgement.decision.exit_status, failed.subject) == (1, "parity")
    assert "(422, the challenger 200)" in failed.says


def test_a_sequential_contest_ends_as_soon_as_it_is_decided(tmp_path: Path) -> None:
    judgement, _ = hold(tmp_path / "record.jsonl", "errs", windows=1_000, is_sequential=True)
    assert judgement.decision is Decision.REJECT
    assert any(reason.startswith("errors: ") for reason in judgement.reasons)
    assert sum(pair.run == "match" for pair in read_record(tmp_path / "record.jsonl").pairs) < 400


def test_a_sequential_contest_may_be_stopped_at_any_time(tmp_path: Path) -> None:
    def stop(line: str) -> None:
        if line.startswith("match "):
            raise KeyboardInterrupt

    path = tmp_path / "record.jsonl"
    judgement, _ = hold(path, "good as well", windows=1_000, is_sequential=True, tell=stop)
    assert judgement.decision is Decision.INCONCLUSIVE
    assert judge_record(read_record(path)) == judgement


def test_a_challenger_that_never_serves_is_rejected_and_a_champion_tells_nothing(tmp_path: Path) -> None:
    judgement, _ = hold(tmp_path / "record.jsonl", "never ready", windows=10)
    assert judgement.decision is Decision.REJECT
    assert judgement.reasons == ("service: the challenger did not serve: waited in vain",)
    record = read_record(tmp_path / "record.jsonl")
    with pytest.raises(CannotTell, match="the champion did not serve"):
        judge_record(replace(record, losses=(replace(record.losses[0], side="champion"),)))


@pytest.mark.parametrize("text", ["", "no JSON", '{"line": "header", "schema": 7}', '{"line": "verse"}'])
def test_what_is_no_record_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.jsonl").write_text(text)
    with pytest.raises(RecordBroken, match=r"record\.jsonl: line \d"):
        read_record(tmp_path / "record.jsonl")
