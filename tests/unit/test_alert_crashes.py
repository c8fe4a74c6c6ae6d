"""A process killed at any step of a delivery loses nothing, and nothing is told twice: a sample of the proof."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.proof.crashes import rehearsed

if TYPE_CHECKING:
    from pathlib import Path

_SAMPLE = 6


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_step_nothing_is_lost_and_nothing_told_twice(tmp_path: Path, seed: int) -> None:
    with rehearsed(tmp_path, seed) as rehearsal:
        assert sum(rehearsal.told.values()) > 2
        choose = random.Random(seed)  # noqa: S311 - a choice to repeat
        for place, step in choose.sample(rehearsal.points(), _SAMPLE):
            rehearsal.crash(place, step=step)
            rehearsal.assert_as_rehearsed((seed, place, step))
