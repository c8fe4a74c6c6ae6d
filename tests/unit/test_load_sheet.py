"""A record that is streamed: lap by lap, from one generator or several, none of them ever half there."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from harness.load.record import NOT_STARTED, read_record
from harness.load.sheet import Batch, Sheet
from tests.unit.test_load_judge import PLAN, invocation

if TYPE_CHECKING:
    from pathlib import Path

    from harness.load.record import Attempt

# The warm-up is 2 s, the patience 15 s.
LAPPED = dataclasses.replace(PLAN, duration_s=25, lap_s=10)


def batch(*due_s: float, until_s: float, cpu_s: float = 0.0, is_last: bool = False) -> Batch:
    generator = dataclasses.replace(NOT_STARTED, cpu_s=cpu_s, wall_s=until_s)
    return Batch(attempts=[due(moment_s) for moment_s in due_s], generator=generator, until_s=until_s, is_last=is_last)


def due(moment_s: float) -> Attempt:
    return dataclasses.replace(invocation(0), due_s=moment_s, ended_s=moment_s + 0.01, warm_up=moment_s < 2)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.jsonl"))


def test_the_laps_of_a_plan_cover_it() -> None:
    assert [LAPPED.span_of(lap) for lap in range(LAPPED.laps)] == [(2, 12), (12, 27)]
    assert [LAPPED.lap_of(due_s) for due_s in (0.0, 1.9, 11.9, 12.0, 26.9)] == [0, 0, 0, 1, 1]
    assert PLAN.span_of(0) == (2, 32)


def test_a_lap_is_there_when_its_last_answer_can_no_longer_come(tmp_path: Path) -> None:
    sheet = Sheet(LAPPED, tmp_path)
    sheet.take(batch(0, 5, until_s=10))
    sheet.take(batch(11, 13, until_s=28.9))
    assert files(tmp_path) == []
    sheet.take(batch(until_s=29.1))
    assert files(tmp_path) == ["lap-0001.jsonl"]
    lap = read_record(tmp_path / "lap-0001.jsonl", LAPPED, lap=0)
    assert [one.due_s for one in lap.attempts] == [0, 5, 11]
    assert (lap.begin_s, lap.end_s, lap.counted_s) == (2, 12, 10)
    sheet.take(batch(until_s=30, is_last=True))
    assert [one.due_s for one in read_record(tmp_path / "lap-0002.jsonl", LAPPED, lap=1).attempts] == [13]


def test_the_last_batch_closes_all_that_is_left(tmp_path: Path) -> None:
    sheet = Sheet(LAPPED, tmp_path)
    sheet.take(batch(3, 13, until_s=27, is_last=True))
    assert sheet.is_whole
    assert files(tmp_path) == ["lap-0001.jsonl", "lap-0002.jsonl"]


def test_a_lap_waits_for_every_generator(tmp_path: Path) -> None:
    sheet = Sheet(LAPPED, tmp_path, sources=2)
    sheet.take(batch(3, until_s=40), "one")
    assert files(tmp_path) == []
    sheet.take(batch(4, until_s=30), "other")
    assert files(tmp_path) == ["lap-0001.jsonl"]
    sheet.take(batch(until_s=45, is_last=True), "one")
    assert not sheet.is_whole
    sheet.take(batch(14, until_s=45, is_last=True), "other")
    assert sheet.is_whole


def test_a_lap_has_the_state_of_each_generator_in_that_lap(tmp_path: Path) -> None:
    sheet = Sheet(LAPPED, tmp_path, sources=2)
    for source, cpu_s in (("one", 3.0), ("other", 6.0)):
        sheet.take(batch(3, until_s=30, cpu_s=cpu_s), source)
    for source, cpu_s in (("one", 4.0), ("other", 24.0)):
        sheet.take(batch(13, until_s=50, cpu_s=cpu_s, is_last=True), source)
    second = read_record(tmp_path / "lap-0002.jsonl", LAPPED, lap=1)
    assert [(one.cpu_s, one.wall_s) for one in second.generators] == [(1, 20), (18, 20)]
    assert max(one.cpu_share for one in second.generators) == 0.9
