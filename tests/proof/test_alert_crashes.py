"""Processes are killed at every step of a delivery, and at any moment: nothing is lost, and nothing told twice."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from harness.alerts.outbox import LEASE_S
from tests.proof.crashes import CHECKS, opened, rehearsed, story, troubles

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1_800)]


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_every_step(tmp_path: Path, seed: int) -> None:
    """Six runs, each of some hundred steps: every third of them for each of two stories."""
    with rehearsed(tmp_path, seed) as rehearsal:
        points = rehearsal.points()[seed::2]
        assert len(points) >= 250
        for place, step in points:
            rehearsal.crash(place, step=step)
            rehearsal.assert_as_rehearsed((seed, place, step))


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """By the clock: in the middle of a statement, of a commit, of a request."""
    with rehearsed(tmp_path, 3) as rehearsal:
        choose = random.Random(3)  # noqa: S311 - a choice to repeat
        for _ in range(60):
            place, after_s = choose.randrange(len(rehearsal.ticks)), choose.uniform(0.002, 0.08)
            rehearsal.crash(place, kill_after_s=after_s)
            rehearsal.assert_as_rehearsed((place, after_s))


@pytest.mark.parametrize("seed", range(40))
def test_killed_while_slack_is_in_trouble_too(tmp_path: Path, seed: int) -> None:
    """Whatever Slack did to posts, updates and look-ups, when it is well again all was told, and told once."""
    rng, failed, last = random.Random(seed), set[str](), ""  # noqa: S311 - a choice to repeat
    with opened(tmp_path, is_run=seed % 2 == 0) as world:
        for tick in story(seed):
            world.now += tick.after_s
            world.upset(troubles(rng))
            world.tell(tick, step=rng.randrange(1, 140))
            world.now += LEASE_S + 10
            world.upset(troubles(rng))
            world.tell(tick)
            failed, last = failed | set(tick.failing), tick.failing
        world.slack.clear()
        for _ in range(3):
            world.now += LEASE_S + 10
            world.tell(tick)
        assert world.twice() == []
        assert set(world.told()) == failed
        assert world.newest() == {name: name not in last for name in CHECKS if name in failed}
