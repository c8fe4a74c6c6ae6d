"""A soak is judged from its laps: together, without those that our own side spoiled, and for growth."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from harness.contract.verdict import Verdict
from harness.experiment.leaks import Sample
from harness.load.laps import Soak
from harness.report.soak_plot import draw_soak
from tests.unit.test_load_judge import CALM, PLAN, PROFILE, broken, invocation, ping, record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.load.finding import LoadJudgement
    from harness.load.record import Attempt, LoadRecord

LAPS, EACH = 20, 40
HOUR = dataclasses.replace(PLAN, duration_s=LAPS * EACH / 20, lap_s=EACH / 20)


def lap(number: int, *changed: Attempt, latency_s: float = 0.01, cpu_s: float = 1.0) -> LoadRecord:
    """Make one lap of `EACH` requests."""
    begin_s, end_s = HOUR.span_of(number)
    good = [invocation(index, latency_s=latency_s) for index in range(len(changed), EACH)]
    moved = [_moved(one, begin_s - 2) for one in (*changed, *good, ping(), broken())]
    generator = dataclasses.replace(CALM, cpu_s=cpu_s, wall_s=10.0)
    whole = dataclasses.replace(record(), plan=HOUR, attempts=tuple(moved), generators=(generator,))
    return dataclasses.replace(whole, begin_s=begin_s, end_s=end_s)


def _moved(attempt: Attempt, by_s: float) -> Attempt:
    started_s = None if attempt.started_s is None else attempt.started_s + by_s
    return dataclasses.replace(attempt, due_s=attempt.due_s + by_s, ended_s=attempt.ended_s + by_s, started_s=started_s)


def soaked(*laps: LoadRecord, samples: Sequence[Sample] = ()) -> Soak:
    soak = Soak(PROFILE, samples=list(samples))
    for number in range(LAPS):
        soak.add(laps[number] if number < len(laps) else lap(number))
    return soak


def broken_rules(judgement: LoadJudgement) -> set[str]:
    return {violation.rule for violation in judgement.violations}


def test_a_good_soak_passes_although_no_lap_is_long_enough_by_itself() -> None:
    soak = soaked()
    judgement = soak.judgement()
    assert {one.judgement.verdict for one in soak.laps} == {Verdict.UNKNOWN}
    assert judgement.verdict is Verdict.PASSED
    assert judgement.figures.outcomes == {"status 200": LAPS * EACH}
    assert judgement.figures.latencies.count == LAPS * EACH
    assert judgement.figures.offered_per_s == pytest.approx(20.5)  # one broken request a lap besides


def test_one_error_in_one_lap_fails_and_is_found_there() -> None:
    judgement = soaked(lap(0), lap(1), lap(2, invocation(0, status=500))).judgement()
    assert broken_rules(judgement) == {"P7"}
    assert "in 1 of 20 laps, first in lap 3" in str(judgement.violations[0])


def test_late_answers_count_over_all_laps() -> None:
    late = [lap(number, *(invocation(index, latency_s=1.5) for index in range(2))) for number in range(LAPS)]
    judgement = soaked(*late).judgement()
    assert judgement.over_budget.hits == 2 * LAPS
    assert judgement.findings["latency"].verdict is Verdict.FAILED


def test_a_lap_that_our_side_spoiled_does_not_count_and_more_of_them_spoil_the_whole() -> None:
    late = [invocation(index, latency_s=1.5) for index in range(EACH)]
    judgement = soaked(lap(0, *late, cpu_s=9.9)).judgement()
    assert judgement.verdict is Verdict.PASSED
    assert judgement.over_budget.of == (LAPS - 1) * EACH
    judgement = soaked(*(lap(number, cpu_s=9.9) for number in range(2))).judgement()
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.spoiled[0].startswith("2 of 20 laps do not count; in lap 1: the generator's CPU")


def test_a_median_that_grows_fails_long_before_the_budget_is_spent() -> None:
    growing = [lap(number, latency_s=0.01 + 0.008 * number) for number in range(LAPS)]
    judgement = soaked(*growing).judgement()
    assert judgement.findings["latency"].verdict is Verdict.PASSED
    assert judgement.findings["growth"].verdict is Verdict.FAILED
    assert "it grew by 160.0 ms (95 %:" in str(judgement.violations[0])


def test_a_median_that_only_wavers_does_not_grow_and_one_that_may_is_unknown() -> None:
    wavering = [lap(number, latency_s=0.01 + 0.01 * (number % 2)) for number in range(LAPS)]
    assert soaked(*wavering).judgement().findings["growth"].verdict is Verdict.PASSED
    erratic = [lap(number, latency_s=0.01 + 0.15 * (number * 7 // 2 % 3)) for number in range(LAPS)]
    assert soaked(*erratic).judgement().findings["growth"].verdict is Verdict.UNKNOWN


def test_a_container_that_holds_more_with_every_request_leaks() -> None:
    def samples(bytes_each: int) -> list[Sample]:
        return [Sample(requests=n * 40, memory_bytes=10**8 + n * 40 * bytes_each, files=9) for n in range(LAPS)]

    assert soaked(samples=samples(0)).judgement().findings["leaks"].verdict is Verdict.PASSED
    assert broken_rules(soaked(samples=samples(5_000)).judgement()) == {"C15"}
    assert soaked(samples=samples(0)[:5]).judgement().findings["leaks"].verdict is Verdict.UNKNOWN
    assert "leaks" not in soaked().judgement().findings


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_soak_is_drawn(tmp_path: Path, suffix: str) -> None:
    soak = soaked(lap(0, cpu_s=9.9), samples=[Sample(requests=1, memory_bytes=10**8, files=9)])
    path = draw_soak(HOUR, soak, soak.judgement(), tmp_path / f"soak.{suffix}")
    assert path.stat().st_size > 10_000
