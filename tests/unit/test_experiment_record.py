"""A record survives the disk, and a file that is none is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import Violation
from harness.experiment.record import Look, Mark, Measure, Probe, Record, RecordBroken, read, write
from harness.faults.fault import Expectation

if TYPE_CHECKING:
    from pathlib import Path

MEASURE = Measure(budget_s=1, ready_s=60, recovery_s=60, steady_s=2, accept_s=0.25, rate_per_s=20, same_tolerance=1e-6)
RECORD = Record(
    name="kill",
    image="somebody/sut:1",
    began_at=1.5,
    up_since_s=-0.5,
    measure=MEASURE,
    expects=Expectation(exits="must", exit_codes=(0, 137)),
    marks=(Mark(name="struck", at_s=2.0, evidence="exited"),),
    looks=(Look(at_s=2.1, status="exited", exit_code=137, oom_killed=True, log="line\nline"),),
    probes=(
        Probe(asked="ping", due_s=0.0, sent_s=0.1, answered_s=0.2, outcome="right", status=200),
        Probe(
            asked="good",
            due_s=0.0,
            sent_s=0.1,
            answered_s=0.2,
            outcome="wrong",
            broken=(Violation(rule="P1", expected="a price", actual="nan"),),
            prediction=1e-9,
        ),
    ),
)


def test_a_record_that_was_written_is_read_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "chaos" / "kill.jsonl"
    write(RECORD, path)
    assert read(path) == RECORD


def test_each_mark_look_and_probe_is_a_line(tmp_path: Path) -> None:
    write(RECORD, tmp_path / "kill.jsonl")
    assert len((tmp_path / "kill.jsonl").read_text().splitlines()) == 1 + 1 + 1 + 2


@pytest.mark.parametrize(
    "text", ["", "no json\n", '{"kind": "song"}\n', '{"kind": "experiment", "schema": 99}\n', "7\n"]
)
def test_a_file_that_is_no_record_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(text)
    with pytest.raises(RecordBroken, match=r"other\.jsonl"):
        read(path)


@pytest.mark.parametrize(("at_s", "phase"), [(1.9, "before the fault"), (2.0, "while the fault lasted")])
def test_a_moment_lies_in_a_phase(at_s: float, phase: str) -> None:
    assert RECORD.phase(at_s) == phase
