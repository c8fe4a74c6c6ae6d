"""A release as a state machine: what goes up, what comes back, and that no data is not healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract.verdict import Verdict
from harness.release.rollout.alarms import Reading
from harness.release.rollout.machine import PATIENCE, Outcome, State, advance

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARES = (0.1, 0.5, 1.0)
BAKE_S = 10.0
VERDICTS = st.sampled_from([Verdict.PASSED, Verdict.PASSED, Verdict.PASSED, Verdict.UNKNOWN, Verdict.FAILED])
LOOKS = st.lists(st.tuples(st.floats(0.1, BAKE_S), st.lists(VERDICTS, max_size=3)), max_size=60)


def readings(*verdicts: Verdict) -> tuple[Reading, ...]:
    return tuple(Reading(alarm="errors", verdict=verdict, says="made up") for verdict in verdicts)


def run(looks: Sequence[tuple[float, Sequence[Verdict]]]) -> list[State]:
    """Return the state after each look: so many seconds after the last one, and what the alarms read."""
    states, now_s = [State(shares=SHARES, bake_s=BAKE_S)], 0.0
    for passed_s, verdicts in looks:
        now_s += passed_s
        states.append(advance(states[-1], readings(*verdicts), now_s=now_s))
    return states


@given(LOOKS)
def test_an_alarm_rolls_back_at_once_and_for_good(looks: list[tuple[float, list[Verdict]]]) -> None:
    states = run(looks)
    for before, after, (_, verdicts) in zip(states, states[1:], looks, strict=False):
        if before.outcome is None and Verdict.FAILED in verdicts:
            assert after.outcome is Outcome.ROLLED_BACK
            assert after.share == 0
        if before.outcome is not None:
            assert after == before


@given(LOOKS)
def test_a_step_is_taken_only_after_a_bake_at_whose_end_every_alarm_is_well(
    looks: list[tuple[float, list[Verdict]]],
) -> None:
    states, now_s = run(looks), 0.0
    for before, after, (passed_s, verdicts) in zip(states, states[1:], looks, strict=False):
        now_s += passed_s
        if after.share > before.share or after.outcome is Outcome.PROMOTED != before.outcome:
            assert verdicts
            assert set(verdicts) == {Verdict.PASSED}
            assert now_s - before.since_s >= BAKE_S
            assert after.step in (before.step, before.step + 1)


@given(LOOKS)
def test_it_is_promoted_only_after_every_step(looks: list[tuple[float, list[Verdict]]]) -> None:
    states = run(looks)
    if states[-1].outcome is Outcome.PROMOTED:
        assert {state.share for state in states} == set(SHARES)


@pytest.mark.parametrize("nothing", [(), (Verdict.UNKNOWN,), (Verdict.PASSED, Verdict.UNKNOWN)])
def test_no_data_is_waited_for_and_then_given_up(nothing: tuple[Verdict, ...]) -> None:
    states = run([(BAKE_S, nothing), (BAKE_S * (PATIENCE - 1) - 1, nothing), (1, nothing)])
    assert [state.outcome for state in states] == [None, None, None, Outcome.UNKNOWN]
    assert states[-1].share == 0
    assert states[-1].why.startswith("too little is known")


def test_data_that_comes_late_is_in_time() -> None:
    states = run([(BAKE_S, [Verdict.UNKNOWN]), (1, [Verdict.PASSED])])
    assert states[-1].share == SHARES[1]
    assert [Outcome.PROMOTED.exit_status, Outcome.ROLLED_BACK.exit_status, Outcome.UNKNOWN.exit_status] == [0, 1, 2]
