"""Good containers pass: no false alarm, again and again."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.detection.layers import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.detection

CONTAINERS = ("plain", "reference")
BUDGET_S = 420.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Suites that each container passes `times` times, so many runs side by side: those under faults mostly wait."""

    suites: tuple[str, ...]
    times: int
    lanes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a gate ended, and the last that it printed."""

    status: int
    printed: str


Runs = dict[tuple[str, int], Future[Ended]]
SERIES = {
    "contract and dq": Series(suites=("contract", "dq"), times=int(os.environ.get("PROOF_RUNS", "20")), lanes=1),
    "chaos": Series(suites=("chaos",), times=int(os.environ.get("PROOF_CHAOS", "10")), lanes=2),
    "load": Series(suites=("load",), times=int(os.environ.get("PROOF_LOAD", "10")), lanes=2),
}
RUNS = [
    (name, container, run)
    for name, series in SERIES.items()
    for run in range(1, series.times + 1)
    for container in CONTAINERS
]


def test_the_second_good_container_passes(bases: dict[str, str], tmp_path: Path) -> None:
    ended = _gate(bases["plain"], ("contract", "dq"), tmp_path)
    assert ended.status == 0, ended.printed


@pytest.fixture(scope="module")
def gates(bases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Runs]]:
    """Run a series of gates on each container, once it is asked for; a result to come by container and number."""
    with contextlib.ExitStack() as stack:

        @cache
        def begin(name: str) -> Runs:
            series, folder = SERIES[name], tmp_path_factory.mktemp("gates")
            lanes = stack.enter_context(ThreadPoolExecutor(series.lanes))
            stack.callback(lanes.shutdown, cancel_futures=True)
            return {
                (container, run): lanes.submit(_gate, bases[container], series.suites, folder / f"{container}-{run}")
                for run in range(1, series.times + 1)
                for container in CONTAINERS
            }

        yield begin


@pytest.mark.proof
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(("name", "container", "run"), RUNS)
def test_no_false_alarm_run_after_run(gates: Callable[[str], Runs], name: str, container: str, run: int) -> None:
    ended = gates(name)[container, run].result()
    assert ended.status == 0, ended.printed


def _gate(image: str, suites: tuple[str, ...], folder: Path) -> Ended:
    asked = [word for suite in suites for word in ("--suite", suite)]
    command = [sys.executable, "-m", "harness.cli", "gate", *asked, f"--sut-image={image}", f"--report-dir={folder}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BUDGET_S, check=False)
    return Ended(status=ended.returncode, printed=ended.stdout[-6_000:] + ended.stderr[-3_000:])
