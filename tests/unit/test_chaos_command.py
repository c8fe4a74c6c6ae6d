"""An experiment's record can be judged again from its file alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.contract.judge import Violation
from harness.experiment.record import write
from tests.unit.test_experiment_judge import GOOD

if TYPE_CHECKING:
    from pathlib import Path

    from harness.experiment.record import Record

_WRONG = Violation(rule="P1", expected="a price", actual="nan")


def judged(record: Record, folder: Path, *options: str) -> int:
    path = folder / "kill.jsonl"
    write(record, path)
    return main(["chaos", "judge", str(path), *options])


def test_a_good_record_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judged(GOOD, tmp_path) == 0
    assert f"{GOOD.name} on {GOOD.image}: PASSED" in capsys.readouterr().out


def test_a_wrong_answer_fails_as_it_did_when_it_was_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = replace(GOOD.probes[-1], outcome="wrong", broken=(_WRONG,))
    assert judged(replace(GOOD, probes=(*GOOD.probes[:-1], wrong)), tmp_path, "--format=json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "FAILED"
    assert [violation["rule"] for violation in found["violations"]] == ["P1"]


def test_a_record_of_half_an_experiment_is_unknown(tmp_path: Path) -> None:
    assert judged(replace(GOOD, marks=GOOD.marks[:1], looks=GOOD.looks[:1], probes=GOOD.probes[:20]), tmp_path) == 2


@pytest.mark.parametrize("content", ["", "{}", "no JSON"])
def test_what_is_no_record_is_refused_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(content)
    assert main(["chaos", "judge", str(path)]) == 2
    assert str(path) in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_timeline_is_drawn(tmp_path: Path, suffix: str) -> None:
    picture = tmp_path / "plots" / f"kill.{suffix}"
    assert judged(GOOD, tmp_path, f"--plot={picture}") == 0
    assert picture.stat().st_size > 10_000
