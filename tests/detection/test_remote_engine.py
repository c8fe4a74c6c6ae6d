"""An engine that is reached over the network: what needs its machine is skipped with a reason, the rest is judged."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.detection.engine_elsewhere import engine_elsewhere
from tests.detection.layers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# `make proof` runs it, `make test` does not.
pytestmark = pytest.mark.proof

__all__ = ["engine_elsewhere"]


def test_an_engine_over_the_network_is_no_reason_to_know_less(
    engine_elsewhere: str, bases: dict[str, str], tmp_path: Path
) -> None:
    options = ["--sut-alerts=off", f"--sut-report-dir={tmp_path}", f"--rootdir={ROOT}", "-rs", "-p", "no:cacheprovider"]
    chosen = "kill or pause_brief or memory_shrunk or cpu or clock"
    command = [sys.executable, "-m", "pytest", "-q", f"--sut-image={bases['plain']}", *options, "-k", chosen]
    environment = {**os.environ, "DOCKER_HOST": engine_elsewhere}
    ended = subprocess.run(
        [*command, "tests/chaos"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stdout[-5_000:]
    assert (
        f"nothing of this machine can be mounted into a container of the engine at {engine_elsewhere}" in ended.stdout
    )
    assert sorted(path.stem for path in (tmp_path / "chaos").glob("*.jsonl")) == [
        "cpu",
        "kill",
        "memory_shrunk",
        "pause_brief",
    ]
