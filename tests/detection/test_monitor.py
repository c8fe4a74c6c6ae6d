"""The monitor looks at a container that somebody else runs, and says what became of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from harness.system.container import Launch
from harness.system.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.system.container import Sut

pytestmark = pytest.mark.detection

_TOLD_WITHIN_S = 20.0


@pytest.fixture
def look(tmp_path: Path) -> Callable[[str], tuple[int, str]]:
    """Return how `harness monitor --once` ends, and what it says."""

    def once(name: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "harness.cli", "monitor", "--once", f"--sut-container={name}"]
        environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "SLACK_BOT_TOKEN": "", "SUT_LEDGER": ""}
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        return ended.returncode, ended.stdout + ended.stderr

    return once


def test_a_container_that_is_killed_and_started_again_is_told_and_so_is_its_recovery(
    own_sut: Callable[..., Sut], look: Callable[[str], tuple[int, str]]
) -> None:
    sut = own_sut()
    sut.wait_ready()
    status, said = look(sut.name)
    assert (status, "PASSED" in said) == (0, True), said
    sut.container.kill()
    status, said = look(sut.name)
    assert status == 1
    assert "is exited, exit code 137 (SIGKILL)" in said
    assert said.count("this would have been sent") == 1
    sut.start_again()
    sut.wait_ready()
    status, said = look(sut.name)
    assert (status, "started again by somebody since the last look" in said) == (1, True), said
    assert "Well again: container runs" in said
    status, said = look(sut.name)
    assert (status, "Well again: container stays up" in said) == (0, True), said


def test_a_container_that_runs_out_of_memory_is_told_as_such(
    own_sut: Callable[..., Sut], look: Callable[[str], tuple[int, str]]
) -> None:
    """Its own limit is lowered until the kernel kills; Docker's flag speaks of the first process, its events of all."""
    sut = own_sut(Launch(arguments=("serve",), options={"mem_limit": "1024m", "memswap_limit": "1024m"}))
    sut.wait_ready()
    assert look(sut.name)[0] == 0
    began_at = time.time()
    sut.container.exec_run(["python3", "-c", "x = bytearray(2 << 30)"])
    # Docker tells late of what the kernel killed.
    wait_for(
        lambda: sut.memory_kills(since_at=began_at) or None,
        subject="Docker to tell that the kernel killed",
        budget_s=_TOLD_WITHIN_S,
    )
    status, said = look(sut.name)
    assert (status, "container has memory: " in said) == (1, True), said


def test_a_container_that_is_not_there_is_wrong(look: Callable[[str], tuple[int, str]]) -> None:
    status, said = look("no-such-container")
    assert (status, "there is no container no-such-container" in said) == (1, True), said


def test_the_ledger_keeps_what_was_told(look: Callable[[str], tuple[int, str]], tmp_path: Path) -> None:
    look("no-such-container")
    command = [sys.executable, "-m", "harness.cli", "alerts", "list", "--format=json"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "SUT_LEDGER": ""}
    listed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert [found["alert"]["check"] for found in json.loads(listed.stdout)["conditions"]] == ["container runs"]
