"""The gate: each suite's wall time beside the waits that it cannot avoid."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from harness.contract.rules import SUITES, Suite
from harness.system.command import last_lines, run
from tests.bench.contenders import ground
from tests.bench.row import Line, Row
from tests.bench.waits import WAITS_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
_FOLDERS: dict[Suite, str] = {"contract": "contract", "dq": "data_quality", "chaos": "chaos", "load": "load"}
_BUDGET_S = 280.0
_GOAL = 0.25
HOW = (
    "each suite in a pytest of its own on the reference container, from the start of the process to its end; beside it "
    "the time in which at least one thread waited for a container to start, stop or get ready, for an experiment's "
    "steady state, fault and recovery, for the load to last as long as the profile says, or for an answer. What is "
    "left is the harness's own: imports, making windows, judging, plots"
)


class SuiteFailed(Exception):  # noqa: N818 - named by what happened
    """A suite did not pass, so its time means nothing."""


def measure() -> list[Line]:
    """Measure every suite once."""
    with ground():
        pass  # What is missing is set up outside of what is measured.
    return [_line(suite, *_times_s(suite)) for suite in SUITES]


def _times_s(suite: Suite) -> tuple[float, float]:
    """Return a suite's wall time, and how much of it was waiting."""
    with tempfile.TemporaryDirectory() as folder:
        waits = Path(folder) / "waits.json"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "tests.bench.waits",
            "-m",
            suite,
        ]
        command += [f"--rootdir={ROOT}", f"--sut-report-dir={folder}", "--sut-alerts=off"]
        command += [str(ROOT / "tests" / _FOLDERS[suite])]
        began_s = time.monotonic()
        ended = run(command, budget_s=_BUDGET_S, environment={**os.environ, WAITS_VARIABLE: str(waits)})
        wall_s = time.monotonic() - began_s
        if ended.returncode != 0:
            raise SuiteFailed(last_lines(ended.stdout))
        return wall_s, float(json.loads(waits.read_text()))


def _line(suite: Suite, wall_s: float, waited_s: float) -> Line:
    overhead = wall_s / waited_s - 1
    return Line(
        measured=f"the gate: wall time of `{suite}`",
        ours=f"{wall_s:.1f} s",
        beside=f"unavoidable waits {waited_s:.1f} s",
        ratio=f"{overhead:.0%} overhead",
        goal=f"under {_GOAL:.0%}",
        kept=overhead < _GOAL,
    )


ROW = Row(name="gate", how=HOW, budget_s=280, run=measure)
