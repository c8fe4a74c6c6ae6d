"""The faults: made from a profile by name, and a half-sent request over a real socket."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import FrozenInstanceError, replace

import pytest

from harness.contract.profile import load_profile
from harness.contract.series import generate
from harness.faults import FAULTS, faults_of
from harness.faults.attempt import Question
from harness.faults.bad_network import BadNetwork
from harness.faults.half_sent import Part, send_half
from harness.faults.requests_in_bytes import FreshBody
from harness.faults.traffic import Traffic

PROFILE = load_profile()
SERIES = generate(seed=1, seconds=120)
QUESTION = Question(asked="in_flight", body=b'{"window": []}')
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-Id: one\r\n\r\n{}"


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_made_from_a_profile_and_bears_its_name(name: str) -> None:
    fault = FAULTS[name](PROFILE, SERIES)
    assert fault.name == name
    if not isinstance(fault, Traffic | BadNetwork):  # which keep their crowd
        with pytest.raises(FrozenInstanceError):
            fault.hold_s = 0.0  # type: ignore[misc]


def test_the_length_of_a_pause_comes_from_the_profile() -> None:
    longer = replace(PROFILE, chaos=replace(PROFILE.chaos, pause_s=9.0))
    assert FAULTS["pause"](longer, SERIES).hold_s == 9.0


def test_a_brief_pause_makes_late_and_an_abandoned_one_outlasts_its_clients() -> None:
    brief, abandoned = FAULTS["pause_brief"](PROFILE, SERIES), FAULTS["pause_abandoned"](PROFILE, SERIES)
    assert brief.hold_s < brief.expects.brief_s < PROFILE.http.budget_s  # type: ignore[operator]  # it has one
    assert (brief.expects.undisturbed, brief.expects.notice_rule) == (True, "R1")
    assert abandoned.expects.patience_s == PROFILE.chaos.patience_s
    assert abandoned.hold_s > PROFILE.chaos.patience_s


def test_each_signal_of_the_profile_is_a_fault_and_only_sigkill_must_end_the_container() -> None:
    asked = replace(PROFILE, chaos=replace(PROFILE.chaos, kill_signals=("SIGKILL", "SIGUSR1", "SIGSEGV")))
    faults = faults_of(asked, SERIES)
    assert {"kill", "sigusr1", "sigsegv"} <= faults.keys()
    assert "sighup" not in faults
    assert [faults[name].expects.exits for name in ("kill", "sigusr1", "sigsegv")] == ["must", "may", "may"]
    none = replace(PROFILE, chaos=replace(PROFILE.chaos, kill_signals=()))
    assert faults_of(none, SERIES).keys() == FAULTS.keys() - {"kill"}


def test_a_stop_grants_as_long_as_the_profile_says() -> None:
    expects = FAULTS["stop"](PROFILE, SERIES).expects
    assert (expects.exit_codes, expects.exit_within_s, expects.drains) == ((0,), PROFILE.container.stop_s, True)


class Listener:
    """Takes one connection, reads until it holds `until`, then answers with `answer` and closes."""

    def __init__(self, *, until: bytes, answer: bytes) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.got = b""
        self._thread = threading.Thread(target=self._serve, args=(until, answer))
        self._thread.start()

    def _serve(self, until: bytes, answer: bytes) -> None:
        connection, _ = self._socket.accept()
        with connection:
            while until not in self.got:
                self.got += connection.recv(65536)
            connection.sendall(answer)

    def close(self) -> None:
        """Wait for the one connection to end."""
        self._thread.join()
        self._socket.close()


@pytest.mark.parametrize("part", ["first bytes", "headers", "half of the body", "all but the last byte"])
def test_a_request_sent_in_two_parts_arrives_whole(part: Part) -> None:
    listener = Listener(until=b'{"window": []}', answer=OK)
    half = send_half(listener.url, PROFILE, QUESTION, part=part, request_id="one")
    attempt = half.finish(due_s=time.monotonic() + 0.05)
    listener.close()
    assert listener.got.startswith(b"POST /invocations HTTP/1.1\r\n")
    assert attempt.answer is not None
    assert (attempt.answer.status, attempt.answer.headers["x-request-id"]) == (200, "one")
    assert attempt.sent_s - half.sent_s >= 0.04


def test_a_half_sent_request_that_is_dropped_says_so() -> None:
    listener = Listener(until=b"POST", answer=b"")
    half = send_half(listener.url, PROFILE, QUESTION, part="headers", request_id="one")
    listener.close()
    attempt = half.finish(due_s=time.monotonic())
    assert attempt.answer is None
    assert attempt.failure.startswith("closed")


def test_a_body_that_is_sent_much_later_is_fresh_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    body = FreshBody(PROFILE, SERIES)
    first, again = body(), body()
    later_s = time.time() + 90
    monkeypatch.setattr("harness.faults.requests_in_bytes.time.time", lambda: later_s)
    assert again is first
    assert body() != first
    assert len(body()) == len(first)
