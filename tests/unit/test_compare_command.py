"""`harness compare` on the command line: a record that is there, what makes no sense, and where nobody can tell."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.audit.model.asking import Reply
from harness.cli import main
from harness.release.journal import Journal
from harness.release.record import Figure, Pair
from tests.unit.made_matches import HEADER

if TYPE_CHECKING:
    from pathlib import Path

    from harness.release.record import Run, Side


def write(path: Path, *, ours: float = 1.0, is_whole: bool = True) -> Path:
    """Write a record of 700 windows and ten kinds of broken ones; `ours` is how many times the champion errs."""
    with Journal(path, replace(HEADER, is_sequential=False)) as journal:
        for run in ("floor", "match"):
            for at in range(700):
                journal.add(pair(run, at, ours=ours if run == "match" else 1.0))
            for at in range(10):
                refused = Reply(status=422, elapsed_s=0.001)
                broken = replace(pair(run, at), regime="broken", way=f"D{at}", truth=None)
                journal.add(replace(broken, champion=refused, challenger=refused))
            for side in ("champion", "challenger"):
                journal.add(Figure(run=run, side=side, what="ready_s", value=2.0))
                journal.add(Figure(run=run, side=side, what="held_bytes", value=2e8))
        if is_whole:
            journal.end()
    return path


def pair(run: Run, at: int, *, ours: float = 1.0) -> Pair:
    truth, off = 60_000.0 + at % 7, (at * 13 % 11 - 5) / 2
    champion = Reply(status=200, prediction=truth + off, elapsed_s=0.002)
    challenger = Reply(status=200, prediction=truth + off * ours, elapsed_s=0.002)
    first: Side = "champion" if at % 2 else "challenger"
    last = 60_000.0 + (at * 5 % 9)
    return Pair(
        run=run,
        regime="history",
        at=at,
        way="history window",
        last=last,
        truth=truth,
        first=first,
        champion=champion,
        challenger=challenger,
    )


def test_json_alone_is_on_the_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--judge", str(write(tmp_path / "record.jsonl")), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["decision"], found["champion"], found["challenger"]) == ("PROMOTE", "good:1", "good:2")
    assert {finding["verdict"] for finding in found["findings"]} == {"PASSED"}


def test_a_worse_challenger_ends_with_1_and_its_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--judge", str(write(tmp_path / "record.jsonl", ours=1.1))]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("REJECT: good:2 in place of good:1")
    assert "FAILED   squared loss   its root mean square error is 1.100 times" in shown


def test_a_record_cut_short_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "record.jsonl", is_whole=False)
    assert main(["compare", "--judge", str(path), "--format", "json"]) == 2
    assert json.loads(capsys.readouterr().out)["decision"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name --champion IMAGE and --challenger IMAGE"),
        (["--champion", "a"], "name --champion IMAGE and --challenger IMAGE"),
        (["--champion", "a", "--challenger", "b", "--judge", "c"], "name --champion IMAGE and --challenger IMAGE"),
        (["--judge", "nowhere.jsonl"], "record nowhere.jsonl"),
        (["--champion", "a", "--challenger", "b", "--sut-profile", "nowhere.toml"], "cannot be read"),
        (["--champion", "a", "--challenger", "b", "--sut-history", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *arguments]) == 4
    shown = capsys.readouterr()
    assert says in shown.err
    assert not shown.out


def test_a_number_of_windows_that_is_none_is_wrong_usage() -> None:
    with pytest.raises(SystemExit, match="4"):
        main(["compare", "--windows", "0"])
