"""A clock that is set from outside: what programs see of it, and who has none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from harness.contract.profile import load_profile
from harness.contract.series import generate
from harness.faults import FAULTS
from harness.faults.clock import ClockAhead
from harness.faults.fault import Fitted
from harness.system import debian, faketime
from harness.system.faketime import Clock, find_library
from harness.system.processes import OutOfReach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.system.container import State, Sut

PROFILE = load_profile()
SERIES = generate(seed=1, seconds=60)
LIBRARY = find_library()
TELLS = """
import queue, sys, threading, time
for line in sys.stdin:
    began_s = time.monotonic()
    time.sleep(0.05)
    threading.Event().wait(0.05)
    for thread in [threading.Thread(target=time.time) for _ in range(20)]:
        thread.start()
        thread.join()
    print(time.time(), time.monotonic() - began_s, flush=True)
"""
needs_library = pytest.mark.skipif(LIBRARY is None, reason="this machine has no libfaketime")


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Make a clock; without the library, of a file that has its place."""
    library = LIBRARY
    if library is None:
        library = tmp_path / "library"
        library.write_bytes(b"\x7fELF\0utimens\0clock_nanosleep\0usleep\0clock_gettime\0")
    return Clock.made_with(library, parent=tmp_path)


def test_it_goes_right_until_it_is_set(clock: Clock) -> None:
    assert clock.ahead_s == 0
    clock.set(ahead_s=30)
    assert clock.ahead_s == 30
    clock.set(ahead_s=-1.5)
    assert clock.ahead_s == -1.5


def test_anybody_may_look_at_it_and_it_is_named_for_the_run_that_it_goes_with(clock: Clock) -> None:
    assert clock.folder.stat().st_mode & 0o055 == 0o055
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in clock.folder.iterdir())
    assert clock.folder.name.startswith(f"inference-harness-{os.getpid()}-")


def test_sleeps_pass_the_library_by_and_the_time_of_day_does_not(clock: Clock) -> None:
    copied = (clock.folder / "libfaketime.so.1").read_bytes()
    assert copied.index(b"\0-lock_nanosleep\0")
    assert b"clock_gettime\0" in copied


@needs_library
def test_a_running_program_sees_the_time_jump_and_sleeps_as_ever(clock: Clock) -> None:
    here = {name: value.replace("/inference-harness", str(clock.folder)) for name, value in clock.environment.items()}
    command = [sys.executable, "-c", TELLS]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=here, stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for ahead_s in (0, 30, -2, 0):
            clock.set(ahead_s=ahead_s)
            program.stdin.write("\n")
            program.stdin.flush()
            told_s, took_s = map(float, program.stdout.readline().split())
            assert told_s - time.time() == pytest.approx(ahead_s, abs=0.5)
            assert 0.1 <= took_s < 1.0
        program.stdin.close()


def test_no_library_is_a_reason_to_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.faults.clock.find_library", lambda: None)
    fault = FAULTS["clock"](PROFILE, SERIES)
    assert isinstance(fault, Fitted)
    with pytest.raises(OutOfReach, match=r"has no libfaketime .* `apt-get install libfaketime` brings it"):
        fault.launch(PROFILE)


def test_an_engine_elsewhere_is_a_reason_to_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker.example:2376")
    monkeypatch.setattr("harness.faults.clock.find_library", lambda: Path("/somewhere"))
    fault = FAULTS["clock"](PROFILE, SERIES)
    assert isinstance(fault, Fitted)
    with pytest.raises(OutOfReach, match=r"engine at tcp://docker\.example:2376"):
        fault.launch(PROFILE)


def test_a_fresh_window_stays_good_by_the_clock_that_is_set() -> None:
    fault = FAULTS["clock"](PROFILE, SERIES)
    assert isinstance(fault, ClockAhead)
    assert fault.ahead_s <= PROFILE.window.max_age_s / 2
    assert (fault.expects.undisturbed, fault.expects.seamless, fault.expects.notice_rule) == (True, True, "R1")


def test_a_container_without_the_library_in_each_process_is_a_reason_to_skip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = SimpleNamespace(maps="/inference-harness/libfaketime.so.1", has_ended=False)
    without = SimpleNamespace(maps="/lib/ld-musl-x86_64.so.1", has_ended=False)
    sut = cast("Sut", SimpleNamespace(image="somebody/sut:1", wait_ready=lambda: 1.0, profile=PROFILE))
    fault = cast("ClockAhead", FAULTS["clock"](PROFILE, SERIES))
    monkeypatch.setattr(faketime, "processes_of", lambda _: [loaded, loaded])
    assert fault.why_not(sut) is None
    monkeypatch.setattr(faketime, "processes_of", lambda _: [loaded, without])
    assert fault.why_not(sut) == "not every process of somebody/sut:1 can have libfaketime preloaded"


class _Answers(BaseHTTPRequestHandler):
    """Answers every window alike: with a status, and a `Date` that may be ahead, or none."""

    status, ahead_s = 200, cast("float | None", 0.0)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response_only(self.status)
        if self.ahead_s is not None:
            self.send_header("Date", formatdate(time.time() + self.ahead_s, usegmt=True))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> Iterator[Sut]:
    """Serve what a test is parametrized with, by a profile that waives D9 or not; yield it as a running sut."""
    status, ahead_s, waived = request.param
    handler = type("Handler", (_Answers,), {"status": status, "ahead_s": ahead_s})
    profile = replace(PROFILE, waived=dict.fromkeys(waived, "it is not looked at"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            state = SimpleNamespace(is_up=True)
            yield cast(
                "Sut",
                SimpleNamespace(
                    image="somebody/sut:1",
                    profile=profile,
                    url=f"http://127.0.0.1:{server.server_address[1]}",
                    state=lambda: state,
                    wait_ready=lambda: 1.0,
                ),
            )
        finally:
            server.shutdown()


BEFORE = cast("State", None)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ((422, None, ()), "gets 422"),
        ((422, 30.0, ()), "gets 422"),
        ((200, 30.0, ("D9",)), r"gets 200, its `Date` \+(29|30) s from ours"),
    ],
    indirect=["asked"],
)
def test_a_clock_that_is_ahead_shows_in_a_refusal_or_in_the_date(asked: Sut, says: str) -> None:
    fault = cast("ClockAhead", FAULTS["clock"](PROFILE, SERIES))
    assert re.search(f"^a window that is 45 s old {says}", fault.has_taken(asked, BEFORE) or "")


@pytest.mark.parametrize("asked", [(200, None, ()), (200, 0.0, ()), (200, 2.0, ("D9",))], indirect=True)
def test_a_clock_that_does_not_show_has_not_been_taken(asked: Sut) -> None:
    assert cast("ClockAhead", FAULTS["clock"](PROFILE, SERIES)).has_taken(asked, BEFORE) is None


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ((200, None, ()), None),
        ((200, 0.0, ("D9",)), None),
        ((200, None, ("D9",)), "nothing in its answers tells its clock: D9 is waived, and they have no `Date`"),
    ],
    indirect=["asked"],
)
def test_a_container_that_shows_no_clock_is_a_reason_to_skip(
    monkeypatch: pytest.MonkeyPatch, asked: Sut, says: str | None
) -> None:
    monkeypatch.setattr(faketime, "processes_of", lambda _: [])
    assert cast("ClockAhead", FAULTS["clock"](PROFILE, SERIES)).why_not(asked) == says


@pytest.mark.parametrize("asked", [(200, 0.0, ("D9",))], indirect=True)
def test_a_clock_that_is_hardly_ahead_cannot_be_read_from_a_date(monkeypatch: pytest.MonkeyPatch, asked: Sut) -> None:
    monkeypatch.setattr(faketime, "processes_of", lambda _: [])
    hardly = replace(PROFILE, chaos=replace(PROFILE.chaos, clock_ahead_s=3))
    says = "D9 is waived, and `Date` is too coarse to tell a clock that is 3 s ahead"
    assert cast("ClockAhead", FAULTS["clock"](hardly, SERIES)).why_not(asked) == says


def test_it_is_installed_where_we_may_and_said_where_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    said, asked = list[str](), list[tuple[str, ...]]()

    def install(packages: tuple[str, ...], say: object) -> None:
        del say
        asked.append(packages)
        msg = "no archive answers"
        raise debian.PackagesMissing(msg)

    monkeypatch.setattr(faketime, "find_library", lambda: None)
    monkeypatch.setattr(debian, "is_root", lambda: True)
    monkeypatch.setattr(debian, "has_apt", lambda: True)
    monkeypatch.setattr(debian, "install", install)
    assert faketime.ensure_library(said.append) is None
    assert asked == [("libfaketime",)]
    assert "no archive answers" in said[0]
