"""An experiment on a server inside this process: its steps, its record, and that a fault never outlives it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

import pytest

from harness.contract.profile import load_profile
from harness.contract.series import generate
from harness.contract.verdict import Verdict
from harness.experiment.experiment import RevertFailed, run
from harness.experiment.judge import judge
from harness.experiment.record import read
from harness.faults.fault import Expectation, Struck
from harness.system.container import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.system.container import Sut

PROFILE = load_profile()
CHAOS = replace(PROFILE.chaos, steady_s=0.3, probe_rate_per_s=30.0, ping_rate_per_s=8.0, recovery_s=2.0)
PROFILE = replace(PROFILE, chaos=CHAOS)
SERIES = generate(seed=1, seconds=300)
HOLD_S = 0.4


class Stand:
    """A tiny sut inside this process, as much of one as an experiment looks at; `is_ill` makes it fail.

    It answers after `delay_s`.
    """

    image, name = "in-process", "stand"

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_ill = False
        self.delay_s = 0.0
        self.predicts_otherwise = False
        self.is_removed = False
        self.started_s = time.monotonic()

    def state(self) -> State:
        """Say that it runs."""
        return State(status="running", exit_code=0, oom_killed=False, restarts=0)

    def wait_ready(self) -> float:
        """Say that it is ready."""
        return 0.0

    def is_there(self) -> bool:
        """Say that it is there."""
        return True

    def remove(self) -> None:
        """Note that it is not wanted any more."""
        self.is_removed = True

    def memory_kills(self, *, since_at: float) -> int:
        """Say that the kernel killed nothing."""
        del since_at
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Illness:
    """A fault of that sut: it answers 500; `breaks_at` names a step that goes wrong."""

    breaks_at: str = ""
    answers_otherwise_after: bool = False
    leaves_trace: bool = False
    name: str = "illness"
    hold_s: float = HOLD_S
    expects: Expectation = Expectation(exits="never")  # noqa: RUF009 - a frozen value

    def inject(self, sut: Sut) -> Struck:
        """Make it ill."""
        at_s = time.monotonic()
        _stand(sut).is_ill = True
        self._perhaps_break("inject")
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that it is ill."""
        del before
        self._perhaps_break("has_taken")
        return "ill" if _stand(sut).is_ill else None

    def revert(self, sut: Sut) -> None:
        """Heal it."""
        self._perhaps_break("revert")
        _stand(sut).is_ill = False
        _stand(sut).predicts_otherwise = self.answers_otherwise_after

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that it is healthy."""
        del before
        return None if _stand(sut).is_ill else "healthy"

    def mend(self, sut: Sut) -> str:
        """Name the way out."""
        return f"heal {sut.name}"

    def _perhaps_break(self, step: str) -> None:
        if self.breaks_at == step:
            msg = f"{step} broke"
            raise ConnectionError(msg)


def _stand(sut: Sut) -> Stand:
    return cast("Stand", sut)


def _handler(stand: Stand) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(503 if stand.is_ill else 200, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(stand.delay_s)
            self._answer(*_predict(stand, body))

        def _answer(self, status: int, answer: object) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Request-Id", self.headers.get("X-Request-Id", ""))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the terminal quiet."""

    return Handler


def _predict(stand: Stand, body: bytes) -> tuple[int, object]:
    if stand.is_ill:
        return 500, {}
    try:
        window = json.loads(body)["window"]
    except ValueError:
        return 400, {}
    newest = window[-1]
    age_s = (
        time.time() - time.mktime(time.strptime(newest["time_period_end"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone
    )
    if len(window) != 60 or newest["price_close"] is None or age_s > 62:
        return 422, {}
    price = newest["price_close"] * (1.001 if stand.predicts_otherwise else 1)
    model = {"name": "last close", "version": "1"}
    rest = {"as_of": newest["time_period_end"], "horizon_s": 1, "model": model, "anomalies": []}
    return 200, {"prediction": price, **rest}


@contextmanager
def serving() -> Iterator[Stand]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    stand = Stand(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = _handler(stand)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield stand
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def stand() -> Iterator[Stand]:
    with serving() as stand:
        yield stand


def _sut(stand: Stand) -> Sut:
    return cast("Sut", stand)


def test_a_sut_that_recovers_passes_and_each_step_is_in_the_record(stand: Stand, tmp_path: Path) -> None:
    record = run(Illness(), _sut(stand), PROFILE, SERIES, path=tmp_path / "illness.jsonl")
    judgement = judge(record)
    assert (judgement.verdict, judgement.violations) == (Verdict.PASSED, ())
    assert read(tmp_path / "illness.jsonl") == record
    steps = ["steady", "struck", "taken", "revert", "reverted", "well", "ended"]
    assert [mark.name for mark in record.marks] == steps
    assert {probe.outcome for probe in record.invocations()} == {"right", "failed"}
    assert {probe.outcome for probe in record.probes if probe.asked == "invalid"} <= {"refused", "failed"}


def test_a_sut_that_predicts_otherwise_afterwards_breaks_p2(stand: Stand) -> None:
    judgement = judge(run(Illness(answers_otherwise_after=True), _sut(stand), PROFILE, SERIES))
    assert {violation.rule for violation in judgement.violations} == {"P2"}


@pytest.mark.parametrize("step", ["inject", "has_taken"])
def test_a_fault_is_reverted_whatever_goes_wrong(stand: Stand, step: str, tmp_path: Path) -> None:
    path = tmp_path / "illness.jsonl"
    with pytest.raises(ConnectionError, match=f"{step} broke"):
        run(Illness(breaks_at=step), _sut(stand), PROFILE, SERIES, path=path)
    assert not stand.is_ill
    assert read(path).at("reverted") is not None


def test_a_failed_revert_names_the_command_that_mends_it(stand: Stand) -> None:
    with pytest.raises(RevertFailed, match="mend it with: heal stand"):
        run(Illness(breaks_at="revert"), _sut(stand), PROFILE, SERIES)


def test_a_sut_that_answers_wrongly_is_not_harmed_and_fails(stand: Stand) -> None:
    stand.predicts_otherwise = True
    tight = replace(PROFILE, prediction=replace(PROFILE.prediction, quiet_tolerance=1e-4))
    record = run(Illness(), _sut(stand), tight, SERIES)
    assert record.at("struck") is None
    assert "P3" in {violation.rule for violation in judge(record).violations}
