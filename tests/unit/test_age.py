"""Limits of age: one that differs is found, a clock that differs is not mistaken for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from harness.contract.age import Sighting, judge_age, sides
from harness.contract.profile import load_profile

if TYPE_CHECKING:
    from collections.abc import Mapping

RULE = load_profile().window


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A double of an answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": {"code": "old", "dimension": "timeliness", "message": "not of now"}}'


def broken(
    *,
    oldest_s: float = 60.0,
    latest_s: float = 2.0,
    clock_s: float = 0.0,
    took_s: float = 0.01,
    is_our_clock: bool = False,
) -> set[str]:
    """Ask a container with these limits, whose clock is so far ahead, and return the rules that it breaks."""
    seen = [
        Sighting(side=side, answer=Answer(status=200 if -oldest_s <= ahead_s <= latest_s else 422), took_s=took_s)
        for side in sides(RULE, nearest_s=0.3, margin_s=0.4)
        for ahead_s in [side.ahead_s - took_s - clock_s]
    ]
    return {violation.rule for violation in judge_age(seen, is_our_clock=is_our_clock)}


def test_the_contracts_limits_are_right() -> None:
    assert broken() == set()


@pytest.mark.parametrize(
    ("oldest_s", "latest_s", "rules"),
    [
        (61.0, 2.0, {"D9"}),
        (60.5, 2.0, {"D9"}),
        (59.0, 2.0, {"D9", "R1"}),
        (60.0, 3.0, {"D10"}),
        (60.0, 1.0, {"D10", "R1"}),
        (60.0, 0.0, {"D10", "R1"}),
        (61.0, 3.0, {"D9", "D10"}),
    ],
)
def test_a_limit_that_differs_is_found(oldest_s: float, latest_s: float, rules: set[str]) -> None:
    assert broken(oldest_s=oldest_s, latest_s=latest_s) == rules


@pytest.mark.parametrize("clock_s", [-5.0, -1.0, -0.35, -0.1, 0.1, 0.35, 1.0, 5.0])
def test_a_clock_that_differs_is_no_limit_that_does(clock_s: float) -> None:
    assert broken(clock_s=clock_s) == set()


@pytest.mark.parametrize(("behind_s", "rules"), [(0.0, set()), (1.0, {"R1", "D9", "D10"}), (-1.0, {"R1", "D9", "D10"})])
def test_an_age_of_another_moment_is_found_where_the_clock_is_ours(behind_s: float, rules: set[str]) -> None:
    """The age of the newest record's start, in place of its end, is a second more at both limits."""
    assert broken(clock_s=-behind_s) == set()
    assert broken(clock_s=-behind_s, is_our_clock=True) == rules


def test_what_is_refused_for_another_reason_says_nothing_of_the_limit() -> None:
    answer = Answer(status=422, body=b'{"error": {"code": "x", "dimension": "accuracy", "message": "x"}}')
    seen = [Sighting(side=side, answer=answer, took_s=0.01) for side in sides(RULE, nearest_s=0.3, margin_s=0.4)]
    assert {violation.rule for violation in judge_age(seen)} == {"R1"}


def test_what_crossed_the_limit_on_its_way_is_not_judged() -> None:
    assert broken(took_s=0.5) == set()
