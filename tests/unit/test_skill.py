"""Skill is claimed, denied or left open as far as the sample can tell."""

from __future__ import annotations

import random

import pytest

from harness.contract.skill import Skill, skill_of
from harness.contract.verdict import Verdict


def skill(share: float, *, windows: int = 400, noise: float = 1.0) -> Skill:
    """Predict with an error of `share` times persistence's, over a random walk."""
    walk = random.Random(3)  # noqa: S311 - a series to repeat
    closes = [30_000.0]
    for _ in range(windows):
        closes.append(closes[-1] + walk.gauss(0.0, noise))
    last, truths = closes[:-1], closes[1:]
    predictions = [truth + share * (before - truth) for before, truth in zip(last, truths, strict=True)]
    return skill_of(predictions, last, truths, limit=1.5)


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.0, Verdict.PASSED), (1.0, Verdict.PASSED), (1.4, Verdict.PASSED), (1.6, Verdict.FAILED)]
)
def test_an_error_of_a_fixed_share_is_told(share: float, verdict: Verdict) -> None:
    found = skill(share)
    assert found.verdict is verdict
    assert found.rmse == pytest.approx(share * found.persistence_rmse)


def test_an_interval_that_holds_the_limit_is_unknown() -> None:
    walk = random.Random(5)  # noqa: S311 - a series to repeat
    truths = [walk.gauss(0.0, 1.0) for _ in range(400)]
    predictions = [truth + walk.gauss(0.0, 1.5) for truth in truths]
    found = skill_of(predictions, [0.0] * 400, truths, limit=1.5)
    assert found.low < 1.5 < found.high
    assert found.verdict is Verdict.UNKNOWN


def test_too_short_a_series_and_a_perfect_persistence_are_unknown() -> None:
    assert skill(1.0, windows=299).verdict is Verdict.UNKNOWN
    assert skill_of([1.0] * 400, [1.0] * 400, [1.0] * 400, limit=1.5).verdict is Verdict.UNKNOWN
    assert skill_of([], [], [], limit=1.5).verdict is Verdict.UNKNOWN


def test_the_interval_is_the_same_each_time() -> None:
    assert skill(1.2) == skill(1.2)
