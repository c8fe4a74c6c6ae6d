"""A chaos run that is killed at any moment leaves nothing behind, and touches no stranger's container."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from harness.system.guard import LABEL
from harness.system.waiting import WaitedInVain, wait_for
from tests.detection.layers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

# Long: `make proof` runs it, `make test` does not.
pytestmark = [pytest.mark.proof, pytest.mark.timeout(3_600)]

TIMES = int(os.environ.get("PROOF_KILLS", "30"))
# A run under faults mostly waits: so many side by side.
LANES = 3
LONGEST_RUN_S = 60.0
GONE_WITHIN_S = 15.0
# Where a run begins, in turn: with kills and shortages, or with what stands outside of the container.
BEGINNINGS = ("", "cut or dns or delay or reset or clock or pause")


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    with closing(docker.from_env()) as client:
        yield client


@pytest.fixture(scope="module")
def stranger(engine: docker.DockerClient, sut_image: str) -> Iterator[Container]:
    """Run somebody else's container of the same image, with a label that looks like ours."""
    container = engine.containers.run(sut_image, detach=True, labels={f"{LABEL}.friend": "yes"})
    yield container
    container.remove(force=True)


@pytest.fixture(scope="module")
def left(
    engine: docker.DockerClient, sut_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Future[str]]]:
    """Kill that many runs, some of them side by side: what was left of each, once the time for that has passed."""
    folder = tmp_path_factory.mktemp("killed")
    with ThreadPoolExecutor(LANES) as lanes:
        yield [
            lanes.submit(_left_of_a_killed_run, engine, sut_image, turn, folder / str(turn)) for turn in range(TIMES)
        ]
        lanes.shutdown(cancel_futures=True)


@pytest.mark.parametrize("turn", range(TIMES))
def test_nothing_is_left_of_a_killed_run(left: list[Future[str]], stranger: Container, turn: int) -> None:
    assert left[turn].result() == ""
    stranger.reload()
    assert stranger.status == "running"


def _left_of_a_killed_run(engine: docker.DockerClient, image: str, turn: int, folder: Path) -> str:
    lives_s = random.Random(turn).uniform(1.0, LONGEST_RUN_S)  # noqa: S311 - a moment to repeat, no secret
    options = [f"--sut-image={image}", "--sut-alerts=off", f"--sut-report-dir={folder}", f"--rootdir={ROOT}"]
    beginning = ["-k", BEGINNINGS[turn % len(BEGINNINGS)]]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *beginning, "tests/chaos"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True) as harness:
        try:
            harness.wait(timeout=lives_s)
        except subprocess.TimeoutExpired:
            harness.send_signal(signal.SIGKILL)
    try:
        wait_for(
            lambda: None if _left(engine, harness.pid) else True,
            subject="nothing to be left of the run",
            budget_s=GONE_WITHIN_S,
            last_seen=lambda: ", ".join(_left(engine, harness.pid)),
        )
    except WaitedInVain as error:
        return f"killed after {lives_s:.1f} s: {error}"
    return ""


def _left(engine: docker.DockerClient, pid: int) -> list[str]:
    """Name the containers, networks and processes that a run of ours left."""
    mine = f"{pid}:"
    labelled = [
        *engine.containers.list(all=True, filters={"label": f"{LABEL}.process"}, ignore_removed=True),
        *engine.networks.list(filters={"label": f"{LABEL}.process"}),
    ]
    labels = [(found.attrs["Name"], found.attrs.get("Config", found.attrs).get("Labels") or {}) for found in labelled]
    things = [name for name, found in labels if found.get(f"{LABEL}.process", "").startswith(mine)]
    # The run has a session of its own; the guard, which has another, ends by itself.
    processes = [path.parent.name for path in Path("/proc").glob("[0-9]*/stat") if _session(path) == pid]
    return [*things, *(f"process {number}" for number in processes)]


def _session(stat: Path) -> int:
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[3]) if fields[0] != "Z" else 0
