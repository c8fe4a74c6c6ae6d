"""A master with two workers measures what one process measures, and gives up where a worker is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.load.judge import judge_load
from harness.load.run import Crew, MeasurementFailed, measure
from harness.system.waiting import wait_for
from tests.detection.layers import ROOT
from tests.unit.test_load_known_truth import FREEZING, PROFILE, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.load.progress import Progress
    from harness.load.record import LoadRecord

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]

POISSON = dataclasses.replace(PROFILE, load=dataclasses.replace(PROFILE.load, arrivals="poisson"))
RATE_PER_S, DURATION_S = 100, 20
# A Locust that has used so much of a processor, in seconds, has read its locustfile.
_READ_S = 0.25


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        free: int = door.getsockname()[1]
        return free


@contextlib.contextmanager
def workers(port: int, folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start two workers as an engineer does on other machines."""
    command = [sys.executable, "-m", "harness.cli", "load", "--worker", "--master-port", f"{port}"]
    started = [subprocess.Popen([*command, "--report-dir", str(folder)], cwd=ROOT) for _ in range(2)]
    try:
        yield started
    finally:
        for worker in started:
            worker.terminate()
            worker.wait()


def test_a_worker_that_awaits_a_master_ends_with_its_harness(port: int, tmp_path: Path) -> None:
    with workers(port, tmp_path) as started:
        began = [_wait_for_locust(one.pid) for one in started]
    for process in began:
        process.wait(timeout=10)  # left alone, it would await a master for five minutes


def _wait_for_locust(pid: int) -> psutil.Process:
    """Return the Locust process of a worker once it has read its locustfile."""

    def found() -> psutil.Process | None:
        children = psutil.Process(pid).children()
        return children[0] if children and children[0].cpu_times().user > _READ_S else None

    return wait_for(found, subject="a worker to start Locust", budget_s=30)


def frozen_share(record: LoadRecord) -> float:
    """Return the share that is over a second by construction: the request that waited longest came as it froze."""
    counted = record.of_kind("invocation")
    frozen_s = max(counted, key=lambda one: one.latency_s).due_s
    over_s, every_s = FREEZING.freeze_s - 1, FREEZING.every_s
    return sum((one.due_s - frozen_s) % every_s < over_s for one in counted) / len(counted)


def test_two_workers_and_one_process_read_the_same(port: int, tmp_path: Path) -> None:
    crew, records = Crew(workers=2, port=port), {}
    for name, how in (("one", None), ("two", crew)):
        with serving("--freeze", "2", "--every", "10") as url, workers(port, tmp_path / "workers"):
            folder = tmp_path / name
            records[name] = measure(
                url, PROFILE, report_dir=folder, rate_per_s=RATE_PER_S, duration_s=DURATION_S, crew=how
            )
    for name, count in (("one", 1), ("two", 2)):
        judgement = judge_load(records[name], PROFILE)
        assert judgement.over_budget.of == RATE_PER_S * DURATION_S
        assert judgement.over_budget.observed == pytest.approx(FREEZING.share_over(1), abs=0.005)
        assert len(records[name].generators) == count
    due = {name: [round(one.due_s, 9) for one in records[name].of_kind("invocation")] for name in records}
    assert due["two"] == due["one"]
    assert {one.offered for one in records["two"].generators} == {round(RATE_PER_S * (DURATION_S + 0.5)) / 2}


def test_poisson_arrivals_are_shared_too(port: int, tmp_path: Path) -> None:
    crew = Crew(workers=2, port=port)
    with serving("--freeze", "2", "--every", "10") as url, workers(port, tmp_path / "workers"):
        record = measure(url, POISSON, report_dir=tmp_path, rate_per_s=RATE_PER_S, duration_s=DURATION_S, crew=crew)
    judgement = judge_load(record, POISSON)
    assert judgement.over_budget.of == pytest.approx(RATE_PER_S * DURATION_S, rel=0.08)
    assert judgement.over_budget.observed == pytest.approx(frozen_share(record), abs=0.005)


def test_locusts_own_statistics_are_the_sum_over_the_workers(port: int, tmp_path: Path) -> None:
    with serving() as url, workers(port, tmp_path / "workers"):
        record = measure(
            url, PROFILE, report_dir=tmp_path, rate_per_s=200, duration_s=3, crew=Crew(workers=2, port=port)
        )
    sent = len(record.of_kind("invocation")) + len(record.of_kind("invocation", warm_up=True))
    assert f"POST,invocation,{sent},0," in (tmp_path / "load" / "locust_stats.csv").read_text()


def test_a_worker_that_is_lost_ends_the_measurement(port: int, tmp_path: Path) -> None:
    is_under_way = threading.Event()

    def watch(progress: Progress) -> None:
        if progress.ended:
            is_under_way.set()

    def lose(worker: subprocess.Popen[bytes]) -> None:
        is_under_way.wait(60)
        worker.kill()

    with serving() as url, workers(port, tmp_path / "workers") as both:
        threading.Thread(target=lose, args=(both[0],)).start()
        with pytest.raises(MeasurementFailed, match="1 of 2 workers were lost"):
            measure(
                url,
                PROFILE,
                report_dir=tmp_path,
                rate_per_s=50,
                duration_s=120,
                crew=Crew(workers=2, port=port),
                watch=watch,
            )


def test_workers_that_do_not_come_are_not_waited_for_without_end(port: int, tmp_path: Path) -> None:
    with serving() as url, pytest.raises(MeasurementFailed, match="Gave up waiting for workers"):
        measure(url, PROFILE, report_dir=tmp_path, crew=Crew(workers=2, port=port, patience_s=2))
