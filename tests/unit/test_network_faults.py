"""The faults of the network: whole experiments on a server inside this process, and what is expected of each."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from harness.contract.profile import load_profile
from harness.contract.series import generate
from harness.contract.verdict import Verdict
from harness.experiment.experiment import run
from harness.experiment.judge import judge
from harness.experiment.record import read
from harness.faults import FAULTS
from harness.faults.bad_network import BadNetwork
from harness.faults.crowd import Crowd, Manner, Visit
from harness.faults.fault import Asking, Fitted
from harness.system.container import State
from harness.system.networks import network_of, own_address
from harness.system.processes import OutOfReach
from harness.system.proxy.proxy import ProxyLost
from harness.system.proxy.troubles import Clear
from harness.system.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.faults.fault import Fault
    from harness.system.container import Sut

PROFILE = load_profile()
CHAOS = replace(
    PROFILE.chaos,
    steady_s=0.3,
    ping_rate_per_s=8.0,
    recovery_s=3.0,
    traffic_s=0.4,
    far_clients=6,
    slow_clients=6,
    far_delay_s=0.1,
    far_jitter_s=0.01,
    far_bytes_per_s=60_000.0,
)
PROFILE = replace(PROFILE, chaos=CHAOS)
SERIES = generate(seed=1, seconds=300)
BEHIND_PROXY = ("delay", "jitter", "bandwidth", "slow_close", "reset", "half_open", "truncated", "black_hole")
LOSING_NOTHING = ("delay", "jitter", "bandwidth", "slow_close")


@dataclass
class Stand:
    """As much of a container as an experiment looks at; this machine has no way to an address of its own."""

    url: str
    image: str = "in-process"
    name: str = "stand"
    started_s: float = field(default_factory=time.monotonic)
    port: int = 8080

    @property
    def container(self) -> SimpleNamespace:
        """Docker's handle."""
        attrs = {"State": {"Pid": 0}, "HostConfig": {"NetworkMode": "default"}}
        return SimpleNamespace(attrs=attrs, id="no-such-container", reload=lambda: None)

    def state(self) -> State:
        """Say that it runs."""
        return State(status="running", exit_code=0, oom_killed=False, restarts=0)

    def memory_kills(self, *, since_at: float) -> int:
        """Say that the kernel killed nothing."""
        del since_at
        return 0

    def wait_ready(self) -> float:
        """Say that it is ready."""
        return 0.0


class Server(ThreadingHTTPServer):
    """Answers pings and windows; `takes` is how it reads a body of so many bytes."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, takes: Callable[[BaseHTTPRequestHandler, int], bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.takes = takes

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that is gone is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        """Answer a ping."""
        self._answer(200, {})

    def do_POST(self) -> None:
        """Answer a window that came whole."""
        length = int(self.headers["Content-Length"])
        body = cast("Server", self.server).takes(self, length)
        if len(body) < length:
            self.close_connection = True
            return
        self._answer(*_predict(body, self.headers["Content-Type"]))

    def _answer(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", self.headers.get("X-Request-Id", ""))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the terminal quiet."""


def _predict(body: bytes, kind: str) -> tuple[int, object]:
    if kind == "text/csv":
        *_, last = body.decode().splitlines()
        return 200, {"prediction": float(last.split(",")[7])}
    try:
        window = json.loads(body)["window"]
    except ValueError:
        return 400, {}
    newest = window[-1]
    ended_s = time.mktime(time.strptime(newest["time_period_end"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    if len(window) != 60 or newest["price_close"] is None or time.time() - ended_s > 62:
        return 422, {}
    model = {"name": "last close", "version": "1"}
    rest = {"as_of": newest["time_period_end"], "horizon_s": 1, "model": model, "anomalies": []}
    return 200, {"prediction": newest["price_close"], **rest}


def whole(handler: BaseHTTPRequestHandler, length: int) -> bytes:
    """Read all of a body, or what comes before the client's end."""
    return handler.rfile.read(length)


def padded(handler: BaseHTTPRequestHandler, length: int) -> bytes:
    """Take what came for the whole."""
    return whole(handler, length).ljust(length)


def in_one_go(handler: BaseHTTPRequestHandler, length: int) -> bytes:
    """Take what the first read brings for the whole."""
    return handler.rfile.read1(length).ljust(length)


@contextmanager
def _serving(takes: Callable[[BaseHTTPRequestHandler, int], bytes]) -> Iterator[Sut]:
    server = Server(takes)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield cast("Sut", Stand(f"http://127.0.0.1:{server.server_port}"))
    server.shutdown()
    thread.join()
    server.server_close()


def _fault(name: str) -> Fault:
    return FAULTS[name](PROFILE, SERIES)


@pytest.mark.parametrize("name", ["delay", "truncated"])
def test_a_good_server_passes_and_what_bad_clients_asked_is_in_the_record(name: str, tmp_path: Path) -> None:
    with _serving(whole) as sut:
        record = run(_fault(name), sut, PROFILE, SERIES, path=tmp_path / f"{name}.jsonl")
    judgement = judge(read(tmp_path / f"{name}.jsonl"))
    assert (judgement.verdict, judgement.violations, judgement.doubts) == (Verdict.PASSED, (), ())
    by_fault = [probe for probe in record.probes if probe.request_id.startswith("far-")]
    assert {probe.outcome for probe in by_fault} == {"right"} if name == "delay" else {"failed"}
    assert len(by_fault) >= CHAOS.far_clients


def test_half_a_body_that_is_answered_breaks_c9() -> None:
    with _serving(padded) as sut:
        judgement = judge(run(_fault("truncated"), sut, PROFILE, SERIES))
    assert {violation.rule for violation in judgement.violations} == {"C9"}


def test_a_server_that_reads_once_refuses_who_asks_in_small_pieces() -> None:
    with _serving(in_one_go) as sut:
        judgement = judge(run(_fault("jitter"), sut, PROFILE, SERIES))
    assert "R1" in {violation.rule for violation in judgement.violations}


@pytest.mark.parametrize("name", [name for name in BEHIND_PROXY if name != "reset"])
def test_every_trouble_does_harm_in_each_of_its_directions_and_leaves_nothing(name: str) -> None:
    with _serving(whole) as sut:
        fault = _fault(name)
        before = sut.state()
        assert fault.has_taken(sut, before) is None
        fault.inject(sut)
        try:
            evidence = wait_for(lambda: fault.has_taken(sut, before), subject=name, budget_s=5)
            assert "no harm" not in evidence
        finally:
            fault.revert(sut)
            fault.revert(sut)
        assert "all gone" in (fault.has_reverted(sut, before) or "")


def test_a_proxy_that_dies_is_an_error_of_ours() -> None:
    with _serving(whole) as sut:
        fault = _fault("delay")
        fault.inject(sut)
        wait_for(lambda: fault.has_taken(sut, sut.state()), subject="the fault", budget_s=5)
        (child,) = (pid for pid in _children() if "harness.system.proxy" in _command(pid))
        os.kill(child, signal.SIGKILL)
        with pytest.raises(ProxyLost):
            fault.revert(sut)
        fault.revert(sut)
        assert "all gone" in (fault.has_reverted(sut, sut.state()) or "")


def _children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


@pytest.mark.parametrize("name", BEHIND_PROXY)
def test_others_must_not_notice_and_who_loses_nothing_is_answered(name: str) -> None:
    fault = _fault(name)
    assert isinstance(fault, BadNetwork)
    assert isinstance(fault, Asking)
    assert (fault.expects.exits, fault.expects.undisturbed) == ("never", True)
    assert (fault.expects.far_within_s is not None) == (name in LOSING_NOTHING)
    troubled = {(way.to_sut != Clear(), way.to_client != Clear()) for way in fault.ways}
    assert troubled == {(True, False), (False, True)}


def test_a_reset_is_not_tried_where_it_cannot_arrive() -> None:
    fault = _fault("reset")
    assert isinstance(fault, BadNetwork)
    assert "out of reach" in (fault.why_not(cast("Sut", Stand("http://127.0.0.1:9"))) or "")
    with pytest.raises(OutOfReach):
        own_address(cast("Sut", Stand("http://127.0.0.1:9")))


def test_a_slow_network_grants_what_it_costs() -> None:
    slower = replace(PROFILE, chaos=replace(CHAOS, far_delay_s=3.0))
    granted_s = FAULTS["delay"](slower, SERIES).expects.far_within_s
    assert granted_s == pytest.approx(3.0 + PROFILE.http.budget_s + 1.0)


def test_a_cut_names_the_network_to_join() -> None:
    stand = cast("Sut", Stand("http://127.0.0.1:9"))
    assert network_of(stand) == "bridge"
    assert _fault("cut").mend(stand) == "docker network connect bridge stand"
    assert (_fault("cut").expects.recovery_rule, _fault("cut").expects.exits) == ("C17", "never")


def test_a_container_without_names_is_started_in_a_way_of_its_own() -> None:
    fault = _fault("dns")
    assert isinstance(fault, Fitted)
    assert fault.leaves_trace
    assert (fault.expects.recovery_rule, fault.expects.exits) == ("C4", "never")


def test_a_crowd_that_leaves_lets_visits_end_and_nobody_come_anew() -> None:
    ended: list[int] = []

    async def behave(visit: Visit) -> None:
        await asyncio.sleep(0.3)
        ended.append(visit.number)

    with _serving(whole) as sut:
        crowd = Crowd([sut.url, sut.url], Manner(size=4, period_s=0.1, behave=behave))
        crowd.come()
        wait_for(lambda: crowd.is_all_there or None, subject="the crowd", budget_s=5)
        crowd.leave(patience_s=5.0)
    assert sorted(ended) == [0, 1, 2, 3]
    assert crowd.is_gone
