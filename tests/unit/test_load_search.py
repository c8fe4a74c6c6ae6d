"""The search for the highest rate that is kept: up by doubling, then between what was kept and what was not."""

from __future__ import annotations

import pytest

from harness.contract.verdict import Verdict
from harness.load.search import Staircase, Step, length_s, search, settled


def server_with(limit_per_s: float, *, generator_per_s: float = 1e9) -> tuple[list[float], Staircase]:
    tried: list[float] = []

    def try_rate(rate_per_s: float) -> Step:
        tried.append(rate_per_s)
        verdict = Verdict.PASSED if rate_per_s <= limit_per_s else Verdict.FAILED
        verdict = Verdict.UNKNOWN if rate_per_s > generator_per_s else verdict
        return Step(rate_per_s=rate_per_s, verdict=verdict, why="too much", p99_s=0.1, achieved_per_s=rate_per_s)

    return tried, search(try_rate, start_per_s=20, most_per_s=2_000)


@pytest.mark.parametrize("limit_per_s", [20.0, 33.0, 100.0, 777.0, 1_999.0])
def test_the_highest_rate_is_found_within_a_tenth(limit_per_s: float) -> None:
    _, found = server_with(limit_per_s)
    assert found.highest_per_s is not None
    assert limit_per_s / 1.1 <= found.highest_per_s <= limit_per_s


def test_a_rate_that_was_kept_throughout_ends_the_search() -> None:
    tried, found = server_with(1e6)
    assert found.highest_per_s == 2_000 == tried[-1]
    assert "no more than 2000/s was asked for" in found.reason


def test_a_server_that_keeps_not_even_the_first_rate_has_none() -> None:
    tried, found = server_with(1.0)
    assert (tried, found.highest_per_s) == ([20], None)
    assert found.reason == "at 20/s: too much"


def test_what_the_generator_cannot_tell_is_no_limit_of_the_server() -> None:
    _, found = server_with(1e6, generator_per_s=500)
    assert found.highest_per_s is not None
    assert found.highest_per_s <= 500
    assert "could not be told" in found.reason


@pytest.mark.parametrize(("rate_per_s", "seconds"), [(20, 30.0), (100, 8.0), (1_000, 8.0)])
def test_a_step_is_long_enough_for_a_claim_about_its_p99(rate_per_s: float, seconds: float) -> None:
    assert length_s(rate_per_s, least_s=8) == seconds


def lengths_tried(*steps: Step) -> tuple[list[float], Step]:
    tried: list[float] = []

    def measured(duration_s: float) -> Step:
        tried.append(duration_s)
        return steps[len(tried) - 1]

    return tried, settled(measured, least_s=8)


def a_step(verdict: Verdict, *, is_steady: bool = True, is_spoiled: bool = False) -> Step:
    return Step(
        rate_per_s=20,
        verdict=verdict,
        why="",
        p99_s=0.1,
        achieved_per_s=20,
        is_steady=is_steady,
        is_spoiled=is_spoiled,
    )


def test_a_step_lasts_until_it_is_stable() -> None:
    kept, failed, unknown = a_step(Verdict.PASSED), a_step(Verdict.FAILED), a_step(Verdict.UNKNOWN)
    wavering, spoiled = a_step(Verdict.PASSED, is_steady=False), a_step(Verdict.UNKNOWN, is_spoiled=True)
    assert lengths_tried(kept) == ([8], kept)
    assert lengths_tried(failed) == ([8], failed)
    assert lengths_tried(unknown, kept) == ([8, 16], kept)
    assert lengths_tried(unknown, wavering, kept) == ([8, 16, 32], kept)
    assert lengths_tried(unknown, unknown, unknown) == ([8, 16, 32], unknown)
    assert lengths_tried(spoiled, spoiled) == ([8, 16], spoiled)
