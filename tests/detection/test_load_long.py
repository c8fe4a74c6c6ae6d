"""Long loads: the known truth over minutes, at Poisson arrivals too, and a generator that stays as small as it was."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from harness.contract.verdict import Verdict
from harness.load.judge import judge_load
from harness.load.run import measure, plan_of
from harness.load.soak import soak
from tests.detection.test_load_crew import POISSON, frozen_share
from tests.unit.test_load_known_truth import FREEZING, PROFILE, TAILED, serving

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.proof, pytest.mark.timeout(600)]

MIB = 1 << 20


def test_a_freezing_server_reads_what_is_known_at_poisson_arrivals(tmp_path: Path) -> None:
    with serving("--freeze", "2", "--every", "10") as url:
        record = measure(url, POISSON, report_dir=tmp_path, rate_per_s=100, duration_s=60)
    judgement = judge_load(record, POISSON)
    assert judgement.over_budget.observed == pytest.approx(frozen_share(record), abs=0.005)
    assert judgement.over_budget.observed == pytest.approx(FREEZING.share_over(1), abs=0.02)


def test_a_soak_reads_what_is_known_and_the_generator_does_not_grow(tmp_path: Path) -> None:
    hasty = dataclasses.replace(PROFILE, http=dataclasses.replace(PROFILE.http, hang_s=3))
    with serving("--slow-share", "0.03") as url:
        plan = plan_of(url, hasty, rate_per_s=300, duration_s=60, lap_s=3)
        done = soak(plan, tmp_path.resolve())
    judgement = done.judgement()
    assert len(done.laps) == 20
    assert judgement.over_budget.observed == pytest.approx(TAILED.share_over(1), abs=0.002)
    assert judgement.findings["latency"].verdict in (Verdict.FAILED, Verdict.UNKNOWN)
    held = [lap.memory_bytes for lap in done.laps]
    assert max(held[5:]) - held[4] < 2 * MIB  # 13,500 requests, each of 400 bytes and more
    assert len(list(tmp_path.glob("lap-*.jsonl"))) <= 10


def test_a_server_that_slows_down_grows(tmp_path: Path) -> None:
    with serving("--creep", "0.01") as url:
        plan = plan_of(url, PROFILE, rate_per_s=100, duration_s=20, lap_s=2)
        judgement = soak(plan, tmp_path.resolve()).judgement()
    assert judgement.findings["growth"].verdict is Verdict.FAILED
    assert judgement.over_budget.hits == 0
