"""A step of the search: kept only where everything is answered in time and no queue grows; figures and plots of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.verdict import Verdict
from harness.load.judge import judge_load
from harness.load.progress import Tally, read_progress
from harness.load.search import Staircase, Step, step_of
from harness.report.load_plots import draw
from harness.report.staircase_plot import draw_staircase
from tests.unit.test_load_judge import PLAN, invocation, record

if TYPE_CHECKING:
    from pathlib import Path

    from harness.load.record import LoadRecord

COUNT = round(PLAN.rate_per_s * PLAN.duration_s)


def step(found: LoadRecord) -> Step:
    return step_of(found, judge_load(found, PLAN.profile))


def test_a_steady_server_keeps_the_rate() -> None:
    assert step(record()).verdict is Verdict.PASSED


def test_a_growing_queue_is_not_kept_although_every_answer_is_in_time() -> None:
    growing = [invocation(index, latency_s=0.01 + 0.5 * index / COUNT) for index in range(COUNT)]
    found = step(record(*growing))
    assert found.verdict is Verdict.FAILED
    assert "the queue grows" in found.why


def test_a_step_that_still_wavers_is_not_steady() -> None:
    assert step(record()).is_stable
    settling = [invocation(index, latency_s=0.04 if index < 2 * COUNT // 3 else 0.01) for index in range(COUNT)]
    found = step(record(*settling))
    assert found.verdict is Verdict.PASSED
    assert not found.is_stable
    assert step(record()).length_s == PLAN.duration_s


def test_errors_and_late_answers_are_not_kept() -> None:
    assert step(record(invocation(3, status=500))).verdict is Verdict.FAILED
    late = [invocation(index, latency_s=1.5) for index in range(COUNT // 10)]
    assert step(record(*late)).verdict is Verdict.FAILED


def test_progress_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    assert read_progress(path) is None
    ended = [invocation(0), invocation(1, status=503), invocation(2, latency_s=2), invocation(3, kind="ping")]
    Tally(path=path, length_s=32, budget_s=1).count(ended, until_s=4)
    found = read_progress(path)
    assert found is not None
    assert (found.ended, found.bad, found.until_s) == (3, 2, 4)
    assert str(found) == "4 of 32 s: 3 answers, 2 late or not 200, p99 now 2000 ms"


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_plots_are_drawn(tmp_path: Path, suffix: str) -> None:
    found = record(invocation(3, status=500))
    assert draw(found, judge_load(found, PLAN.profile), tmp_path / f"load.{suffix}").stat().st_size > 10_000
    stairs = Staircase(steps=(step(record()), step(found)), highest_per_s=20.0, reason="")
    assert draw_staircase(stairs, tmp_path / f"stairs.{suffix}").stat().st_size > 5_000
