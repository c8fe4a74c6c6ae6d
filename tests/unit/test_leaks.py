"""The slope of what a container holds, and what is a leak."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from harness.contract.profile import load_profile
from harness.experiment.leaks import Sample, growths, leaks, slope_of

PROFILE = load_profile()
MIB = 1 << 20


def _samples(*, bytes_each: float = 0, files_each: float = 0, noise_bytes: float = 0) -> list[Sample]:
    chance = random.Random(1)  # noqa: S311 - no secret
    return [
        Sample(
            requests=sent,
            memory_bytes=round(100 * MIB + bytes_each * sent + chance.uniform(0, noise_bytes)),
            files=round(20 + files_each * sent),
        )
        for sent in range(0, 3_001, 75)
    ]


def test_a_line_is_found_exactly() -> None:
    slope = slope_of([(x, 3 + 2 * x) for x in range(40)])
    assert (slope.estimate, slope.low, slope.high) == pytest.approx((2, 2, 2))


def test_the_interval_holds_the_truth_and_not_the_limit() -> None:
    slope = growths(_samples(bytes_each=6_000, noise_bytes=2 * MIB), PROFILE)[0].slope
    assert slope.low < 6_000 < slope.high
    assert slope.low > PROFILE.chaos.leak_bytes


def test_too_few_samples_are_no_slope() -> None:
    with pytest.raises(ValueError, match="too few"):
        slope_of([(0, 1), (1, 1)])


def test_what_neither_grows_nor_wavers_is_no_leak() -> None:
    assert leaks(growths(_samples(noise_bytes=MIB // 2), PROFILE)) == []


def test_memory_that_grows_is_a_leak() -> None:
    (found,) = leaks(growths(_samples(bytes_each=2_048), PROFILE))
    assert found.rule == "C15"
    assert "bytes a request" in found.actual


def test_files_that_stay_open_are_a_leak() -> None:
    (found,) = leaks(growths(_samples(files_each=0.1), PROFILE))
    assert "open files" in found.actual


def test_what_may_or_may_not_grow_is_doubtful() -> None:
    (memory, _) = growths(_samples(bytes_each=1_000, noise_bytes=8 * MIB), PROFILE)
    assert memory.is_doubtful


def test_one_step_is_no_leak() -> None:
    samples = [replace(sample, memory_bytes=sample.memory_bytes + 2 * MIB) for sample in _samples()[20:]]
    assert leaks(growths([*_samples()[:20], *samples], PROFILE)) == []
