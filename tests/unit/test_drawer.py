"""Timelines are drawn in a process of their own, beside their records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.experiment.record import write
from harness.report.drawer import Drawer
from tests.unit.test_experiment_judge import GOOD

if TYPE_CHECKING:
    from pathlib import Path


def test_each_record_is_drawn_beside_its_file_by_the_end(tmp_path: Path) -> None:
    drawer = Drawer()
    for name in ("kill", "pause"):
        write(GOOD, tmp_path / f"{name}.jsonl")
        drawer.draw(tmp_path / f"{name}.jsonl")
    drawer.close()
    assert all((tmp_path / f"{name}.svg").stat().st_size > 10_000 for name in ("kill", "pause"))


def test_what_could_not_be_drawn_is_said(tmp_path: Path) -> None:
    drawer = Drawer()
    drawer.draw(tmp_path / "nowhere.jsonl")
    with pytest.raises(RuntimeError, match="could not be drawn: exit status 1"):
        drawer.close()


def test_nothing_to_draw_starts_nothing() -> None:
    Drawer().close()
