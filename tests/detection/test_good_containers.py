"""Good containers pass: no false alarm, again and again."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.detection.layers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.detection

RUNS = int(os.environ.get("PROOF_RUNS", "20"))
CONTAINERS = ("plain", "reference")


def test_the_second_good_container_passes(bases: dict[str, str], tmp_path: Path) -> None:
    assert _gate(bases["plain"], tmp_path) == 0


@pytest.mark.proof
@pytest.mark.parametrize("run", range(1, RUNS + 1))
@pytest.mark.parametrize("container", CONTAINERS)
def test_no_false_alarm_run_after_run(container: str, run: int, bases: dict[str, str], tmp_path: Path) -> None:
    assert _gate(bases[container], tmp_path) == 0, f"run {run} of {RUNS} on the {container} container"


def _gate(image: str, folder: Path) -> int:
    suites = [word for suite in ("contract", "dq") for word in ("--suite", suite)]
    command = [sys.executable, "-m", "harness.cli", "gate", *suites, f"--sut-image={image}", f"--report-dir={folder}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    sys.stdout.write(ended.stdout[-6_000:] + ended.stderr[-3_000:])
    return ended.returncode
