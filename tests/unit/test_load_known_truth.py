from __future__ import annotations

import contextlib
import csv
import dataclasses
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from harness.contract.profile import load_profile
from harness.contract.verdict import Verdict
from harness.load.finding import LoadJudgement
from harness.load.judge import judge_load
from harness.load.known_truth import Truth
from harness.load.run import MeasurementFailed, measure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from harness.contract.profile import Profile

DEFAULT = load_profile()
MIXED = dataclasses.replace(DEFAULT, load=dataclasses.replace(DEFAULT.load, warm_up_s=0.5))
# Where shares are compared with what is known, every request counts.
PROFILE = dataclasses.replace(MIXED, load=dataclasses.replace(MIXED.load, broken_share=0))
IMPATIENT = dataclasses.replace(PROFILE, http=dataclasses.replace(PROFILE.http, hang_s=0.5))
FREEZING, TAILED = Truth(freeze_s=2, every_s=5), Truth(slow_share=0.03)
REQUESTS, SECONDS = 500, 5
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"


@contextlib.contextmanager
def serving(*options: str) -> Iterator[str]:
    """Serve a known truth and give its URL."""
    command = [sys.executable, "-m", "harness.load.known_truth", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@contextlib.contextmanager
def cutting_off() -> Iterator[str]:
    """Serve answers that end before they are whole."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    with door.accept()[0] as connection:
                        connection.recv(65_536)
                        connection.sendall(CUT)

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        door.shutdown(socket.SHUT_RDWR)


def judged(folder: Path, profile: Profile, *options: str) -> LoadJudgement:
    with serving(*options) as url:
        record = measure(url, profile, report_dir=folder, rate_per_s=REQUESTS / SECONDS, duration_s=SECONDS)
    return judge_load(record, profile)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: tmp_path_factory.mktemp(name) for name in ("steady", "freezing", "tailed")}


@pytest.fixture(scope="module")
def readings(folders: dict[str, Path]) -> dict[str, LoadJudgement]:
    """Read three servers at 100 requests/s; side by side, since most of it is waiting."""
    runs: dict[str, tuple[Profile, tuple[str, ...]]] = {
        "steady": (MIXED, ()),
        "freezing": (PROFILE, ("--freeze", "2", "--every", "5")),
        "tailed": (PROFILE, ("--slow-share", "0.03")),
    }
    with ThreadPoolExecutor() as pool:
        started = {
            name: pool.submit(judged, folders[name], profile, *options) for name, (profile, options) in runs.items()
        }
        return {name: run.result() for name, run in started.items()}


def machine_permitting(verdict: Verdict, reading: LoadJudgement) -> Verdict:
    """Return the verdict that is due: where other work held the generator up, no time may be judged."""
    return Verdict.UNKNOWN if reading.spoiled else verdict


def test_locusts_own_reports_know_every_request(folders: dict[str, Path], readings: dict[str, LoadJudgement]) -> None:
    folder = folders["freezing"] / "load"
    rows = {row["Name"]: row for row in csv.DictReader((folder / "locust_stats.csv").read_text().splitlines())}
    warm_up = readings["freezing"].figures.warm_up
    assert int(rows["invocation"]["Request Count"]) == REQUESTS + warm_up.count
    assert int(rows["invocation"]["Failure Count"]) == 0
    assert float(rows["invocation"]["Max Response Time"]) == pytest.approx(
        max(readings["freezing"].figures.latencies.longest_s, warm_up.longest_s) * 1000
    )
    assert len((folder / "locust_stats_history.csv").read_text().splitlines()) > SECONDS
    assert "invocation" in (folder / "locust.html").read_text()


def test_a_steady_server_reads_nothing_over_budget(readings: dict[str, LoadJudgement]) -> None:
    assert readings["steady"].over_budget.hits == 0
    figures = readings["steady"].figures
    assert sum(figures.outcomes.values()) + sum(figures.broken.values()) == REQUESTS
    assert set(figures.outcomes) == {"status 200"}
    assert set(figures.broken) == {"refused"}
    assert readings["steady"].verdict is machine_permitting(Verdict.PASSED, readings["steady"])


def test_a_freezing_server_reads_what_is_known(readings: dict[str, LoadJudgement]) -> None:
    assert FREEZING.share_over(1) == pytest.approx(0.2)
    # What was held back is answered in one burst: it takes some hundredths of a second, in which more were due.
    assert -0.005 <= readings["freezing"].over_budget.observed - FREEZING.share_over(1) <= 0.02
    assert readings["freezing"].findings["latency"].verdict is machine_permitting(Verdict.FAILED, readings["freezing"])


def test_a_slow_tail_reads_what_is_known(readings: dict[str, LoadJudgement]) -> None:
    assert readings["tailed"].over_budget.observed == pytest.approx(TAILED.share_over(1), abs=0.001)
    assert readings["tailed"].findings["latency"].verdict is machine_permitting(Verdict.FAILED, readings["tailed"])
    assert readings["tailed"].figures.latencies.p50_s < 0.1


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[LoadJudgement]]:
    """Read servers that refuse, hang, or cut their answers off, and one at an address that cannot be."""

    def read(name: str, url: str) -> LoadJudgement:
        folder = tmp_path_factory.mktemp(name)
        return judge_load(measure(url, IMPATIENT, report_dir=folder, rate_per_s=40, duration_s=0.5), IMPATIENT)

    with serving("--service-s", "60") as slow, cutting_off() as cutting, ThreadPoolExecutor() as pool:
        urls = {
            "refused": "http://127.0.0.1:9",
            "timed out": slow,
            "closed": cutting,
            "nowhere": "http://127.0.0.1:99999",
        }
        return {name: pool.submit(read, name, url) for name, url in urls.items()}


@pytest.mark.parametrize(
    ("outcome", "rules"), [("refused", {"P7", "C3", "C16"}), ("timed out", {"P7", "C13"}), ("closed", {"P7", "C3"})]
)
def test_no_answer_is_an_error_whatever_its_kind(
    failures: dict[str, Future[LoadJudgement]], outcome: str, rules: set[str]
) -> None:
    judgement = failures[outcome].result()
    assert judgement.figures.outcomes == {outcome: 20}
    assert {violation.rule for violation in judgement.violations} == rules


def test_a_generator_that_breaks_is_an_error_of_ours(failures: dict[str, Future[LoadJudgement]]) -> None:
    with pytest.raises(MeasurementFailed, match=r"(?s)exit status 3.*its last output"):
        failures["nowhere"].result()


def test_a_load_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rate and duration must be above 0"):
        measure("http://127.0.0.1:9", PROFILE, report_dir=tmp_path, rate_per_s=0)


def test_locust_stays_out_of_this_process() -> None:
    program = (
        "import sys, harness.load.run, harness.load.judge; sys.exit('locust' in sys.modules or 'gevent' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
