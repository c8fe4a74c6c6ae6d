"""Runs of pytest, each forked from a process that has imported once what takes a run over a second to import."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.detection.layers import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Not the plugin: its registering has to happen in each run.
_PRELOADED = [
    "pytest",
    "hypothesis",
    "hypothesis.strategies",
    "hypothesis.internal.conjecture.engine",
    "docker",
    "requests",
    "testcontainers.core.container",
    "harness.contract.breaches",
    "harness.system.container",
    "harness.experiment.judge",
    "harness.faults",
    "harness.report.timeline",
]
# What is imported already cannot have its assertions rewritten; the harness's own modules have none.
_QUIET = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(_PRELOADED)


def run_pytest(arguments: Sequence[str], *, output: Path, budget_s: float) -> int:
    """Run pytest in the project's root with what it prints in a file, and return its exit status.

    Raises `TimeoutError` where it has not ended within the budget; it is killed then, and its guard cleans up.
    """
    process = _FORKS.Process(target=_run, args=(list(arguments), output))
    process.start()
    process.join(budget_s)
    if process.exitcode is None:
        process.kill()
        process.join()
        msg = f"pytest {' '.join(arguments)} had not ended after {budget_s:g} s"
        raise TimeoutError(msg)
    return process.exitcode


def _run(arguments: list[str], output: Path) -> None:
    os.chdir(ROOT)
    with output.open("wb") as sheet:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(sheet.fileno(), stream.fileno())
    sys.exit(int(pytest.main([*_QUIET, *arguments])))
