"""`harness release` on the command line: what makes no sense, a record that is there, what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.cli import main
from harness.release.journal import Journal
from harness.release.rollout.judge import judge
from harness.release.rollout.record import Absence, read_record
from harness.report.release_plot import draw_release
from tests.unit.made_releases import GOOD, HEADER, Behaviour, lines

if TYPE_CHECKING:
    from pathlib import Path


SHORT = replace(HEADER, bake_s=10.0)


def record(path: Path, challenger: Behaviour = GOOD) -> Path:
    with Journal(path, SHORT) as journal:
        for line in lines(np.random.default_rng(1), challenger, GOOD, SHORT):
            journal.add(line)
    return path


def test_a_record_is_judged_again_and_json_alone_is_on_the_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record(tmp_path / "release.jsonl", Behaviour(errors=0.1))
    assert main(["release", "--judge", str(path), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["outcome"], found["planned_requests"]) == ("ROLLED BACK", 2000)
    assert found["exposed_share"] == found["exposed_requests"] / 2000 < 0.1
    assert found["steps"][0]["alarms"]["errors"]["verdict"] == "FAILED"
    assert main(["release", "--judge", str(path)]) == 1
    shown = capsys.readouterr().out
    assert " 10% for " in shown
    assert "ALARM errors" in shown
    assert "ROLLED BACK: good:2 in place of good:1: errors: " in shown


def test_a_release_is_drawn(tmp_path: Path) -> None:
    path = record(tmp_path / "release.jsonl", Behaviour(errors=0.1, unlike=0.1))
    header, seen = read_record(path)
    picture = draw_release(judge(header, seen), seen, tmp_path / "release.svg").read_text(encoding="utf-8")
    assert picture.count("<svg") == 1
    assert draw_release(judge(header, ()), (), tmp_path / "nothing.png").stat().st_size > 1_000


def test_a_record_cut_short_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal(tmp_path / "release.jsonl", HEADER):
        pass
    assert main(["release", "--judge", str(tmp_path / "release.jsonl")]) == 2
    assert "UNKNOWN" in capsys.readouterr().out


def test_a_challenger_that_never_became_ready_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal(tmp_path / "release.jsonl", HEADER) as journal:
        journal.add(Absence(says="it fell over"))
    assert main(["release", "--judge", str(tmp_path / "release.jsonl")]) == 1
    assert "it fell over" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name --challenger IMAGE"),
        (["--challenger", "a", "--judge", "b"], "name --challenger IMAGE"),
        (["--judge", "nowhere.jsonl"], "record nowhere.jsonl: line 1 is no line of a release"),
        (["--challenger", "a", "--config", "nowhere.toml"], "endpoint nowhere.toml: cannot be read"),
        (["--challenger", "a", "--release", "nowhere.toml"], "release nowhere.toml: cannot be read"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["release", *arguments]) == 4
    shown = capsys.readouterr()
    assert says in shown.err
    assert not shown.out


def test_a_release_begins_with_the_champion_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "endpoint.toml"
    config.write_text(
        '[[variants]]\nname = "a"\nimage = "a"\n[[variants]]\nname = "b"\nimage = "b"\n', encoding="utf-8"
    )
    assert main(["release", "--challenger", "c", "--config", str(config)]) == 4
    assert "a release begins with one production variant alone, the champion" in capsys.readouterr().err
