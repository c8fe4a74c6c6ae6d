"""A bad challenger is rolled back before a tenth of the calls saw it, a good one takes over, and no call is lost."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from harness.contract.profile import load_profile
from harness.release.endpoint import Endpoint, EndpointConfig, VariantConfig
from harness.release.guardrails import load_release
from harness.release.rollout.asks import asks_of
from harness.release.rollout.judge import judge
from harness.release.rollout.machine import Outcome
from harness.release.rollout.printout import outcome_line, step_line
from harness.release.rollout.record import header_of, read_record
from harness.release.rollout.rollout import CHALLENGER, Rollout
from harness.system.container import Sut
from tests.detection.layers import lay_over, layer_of, read_defects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.release.rollout.judge import Judgement
    from harness.system.guard import Run

pytestmark = [pytest.mark.detection, pytest.mark.timeout(300)]

PROFILE = load_profile()
QUICK = load_release(Path(__file__).resolve().parents[2] / "fixtures" / "release" / "quick.toml")
RATE_PER_S = 100.0

# Each wire defect, and the alarms of which one or more must go on.
DEFECTS = {
    "zero_prediction": {"wrong"},
    "one_percent_errors": {"errors"},
    "slow_tail": {"over budget"},
    "slow": {"over budget"},
    "jump_not_flagged": {"wrong"},
    "flags_everything": {"wrong"},
    "whole_dollars": {"wrong"},
    "serves_anothers_answer": {"wrong", "parity", "skill"},
    "drifts": {"loss", "skill"},
    "mean_of_the_window": {"wrong", "loss", "skill"},
    "worse_than_persistence": {"wrong", "loss", "skill"},
    "good_window_refused": {"wrong"},
    "ping_lies": {"errors"},
}
QUICKLY_FOUND = ("zero_prediction",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A champion that serves, and where releases are recorded."""

    url: str
    folder: Path

    def release(self, challenger: VariantConfig, run: Run | None = None) -> Judgement:
        """Release a challenger, and return how it ended: the same from the record as live."""
        config = EndpointConfig(variants=(VariantConfig(name="champion", url=self.url),), kept=3_000)
        header = header_of(
            QUICK,
            PROFILE,
            champion="champion",
            challenger=challenger.url or challenger.image,
            fleet=1,
            rate_per_s=RATE_PER_S,
            has_truths=True,
        )
        asks = asks_of(PROFILE, None, seed=1)
        with Endpoint.up(config, run=run) as endpoint:
            rollout = Rollout(endpoint=endpoint, header=header, profile=PROFILE, asks=asks, joining=challenger)
            judgement = rollout.run(self.folder / "release.jsonl")
        assert judge(*read_record(self.folder / "release.jsonl")) == judgement
        print(*map(step_line, judgement.steps), outcome_line(judgement), sep="\n")  # noqa: T201 - what `pytest -s` shows
        return judgement


@pytest.fixture(scope="module")
def champion_url(sut_image: str, sut_run: Run) -> Iterator[str]:
    """Start a good container once for all releases."""
    sut = Sut(sut_image, PROFILE, sut_run).start()
    try:
        sut.wait_ready()
        yield sut.url
    finally:
        sut.remove()


@pytest.fixture
def stage(champion_url: str, tmp_path: Path) -> Stage:
    return Stage(url=champion_url, folder=tmp_path)


def joining(url: str) -> VariantConfig:
    return VariantConfig(name=CHALLENGER, url=url, weight=0.0)


@pytest.fixture
def tired_image(plain_image: str, sut_run: Run) -> Iterator[str]:
    """Make an image whose containers end themselves after 40 requests."""
    (defect,) = [one for one in read_defects() if one.name == "exits_after_40_requests"]
    files, environment = layer_of(defect)
    with closing(docker.from_env()) as engine:
        tag = f"release-{sut_run.id}"
        image = lay_over(engine, plain_image, files, tag=tag, environment=environment, labels=sut_run.labels)
        yield image
        engine.images.remove(image, force=True)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICKLY_FOUND else pytest.mark.proof) for name in DEFECTS],
)
def test_a_bad_challenger_is_rolled_back_before_a_tenth_of_the_calls_saw_it(
    name: str, stage: Stage, host_url: str
) -> None:
    judgement = stage.release(joining(f"{host_url}/{name}"))
    assert judgement.outcome is Outcome.ROLLED_BACK, judgement.why
    on = {one.alarm for one in judgement.steps[-1].readings if one.verdict == "FAILED"}
    assert on & DEFECTS[name], judgement.why
    assert judgement.exposed < judgement.header.planned / 10
    assert_no_call_is_lost(judgement)


@pytest.mark.proof
def test_a_challenger_whose_containers_end_themselves_is_rolled_back(
    stage: Stage, tired_image: str, sut_run: Run
) -> None:
    judgement = stage.release(VariantConfig(name=CHALLENGER, image=tired_image, weight=0.0), sut_run)
    assert judgement.outcome is Outcome.ROLLED_BACK, judgement.why
    assert "containers" in judgement.why or "errors" in judgement.why
    assert judgement.exposed < judgement.header.planned / 10
    assert_no_call_is_lost(judgement)


@pytest.mark.proof
def test_a_good_challenger_takes_over(stage: Stage, sut_image: str, sut_run: Run) -> None:
    judgement = stage.release(VariantConfig(name=CHALLENGER, image=sut_image, weight=0.0), sut_run)
    assert judgement.outcome is Outcome.PROMOTED, judgement.why
    assert [step.share for step in judgement.steps] == [0.1, 1.0]
    assert_no_call_is_lost(judgement)
    assert not judgement.callers.spoilt


def assert_no_call_is_lost(judgement: Judgement) -> None:
    callers = judgement.callers
    assert callers.lost == 0
    assert callers.sent == callers.answered + callers.spoilt
    assert callers.sent > RATE_PER_S
