"""Load generation: what one core can schedule and how truly it measures, beside Locust's fast users and wrk."""

from __future__ import annotations

import dataclasses
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.contract.verdict import Verdict
from harness.load.figures import figures
from harness.load.run import measure
from harness.load.search import Step, search
from harness.system.command import last_lines, run
from tests.bench import peers, wrk
from tests.bench.contenders import BODIES_VARIABLE, CLIENT_CORE, SERVER_CORE, bodies, on_core
from tests.bench.row import Line, Row, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract.profile import Profile
    from harness.load.figures import Figures

ROUNDS = 3
_LAG_S = 0.005
_CONNECTIONS, _STEADY_CONNECTIONS, _SERVICE_S = 16, 4, 0.01
_STEP_S, _START_PER_S, _MOST_PER_S, _PRECISION = 3.0, 1_600.0, 6_400.0, 0.1
_STEADY_S = 5.0
_LOCUST_BUDGET_S = 40.0
_GOAL = 0.05
HOW = (
    "against the shipped server of known latency, each generator on one core, the server on another, bodies of 60 "
    f"records, half JSON, half CSV. Ours: the highest rate up to {_MOST_PER_S:,.0f}, to {_PRECISION:.0%}, at which "
    f"requests start within {_LAG_S * 1000:g} ms of their due moment (p99). Locust's FastHttpUser and wrk: "
    f"{_CONNECTIONS} connections in a closed loop, each as fast as it goes; {ROUNDS} rounds in turn. The latencies: "
    f"{_SERVICE_S * 1000:g} ms of service, wrk first, then our open loop at the rate that wrk came to"
)


def measure_all() -> list[Line]:
    """Measure both lines."""
    profile = load_profile(DEFAULT_PROFILE)
    quiet = dataclasses.replace(profile.load, warm_up_s=0.5, ping_rate_per_s=0, broken_share=0)
    profile = dataclasses.replace(profile, load=quiet)
    with _server(0.0) as url:
        rounds = [
            (_ours_per_s(url, profile), _locust_per_s(url, profile), _wrk_per_s(url, profile)) for _ in range(ROUNDS)
        ]
    with _server(_SERVICE_S) as url:
        pairs = [_latencies(url, profile) for _ in range(ROUNDS)]
    return [
        _rates(rounds),
        *(_steady(name, [pair[index] for pair in pairs]) for index, name in enumerate(("p50", "p99"))),
    ]


@contextmanager
def _server(service_s: float) -> Iterator[str]:
    command = [sys.executable, "-m", "harness.load.known_truth", "--service-s", f"{service_s:g}", "--unchecked"]
    with on_core(SERVER_CORE):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def _figures(url: str, profile: Profile, *, rate_per_s: float, duration_s: float) -> Figures:
    with on_core(CLIENT_CORE), tempfile.TemporaryDirectory() as folder:
        record = measure(url, profile, report_dir=Path(folder), rate_per_s=rate_per_s, duration_s=duration_s)
    return figures(record, ())


def _ours_per_s(url: str, profile: Profile) -> float:
    def try_rate(rate_per_s: float) -> Step:
        found = _figures(url, profile, rate_per_s=rate_per_s, duration_s=_STEP_S)
        kept = found.lag_p99_s < _LAG_S and set(found.outcomes) == {"status 200"}
        told = f"lag p99 {found.lag_p99_s * 1000:.1f} ms, {found.cpu_share:.0%} of a core, {dict(found.outcomes)}"
        print(f"    {rate_per_s:7.1f}/s {told}", flush=True)  # noqa: T201 - progress
        return Step(
            rate_per_s=rate_per_s,
            verdict=Verdict.PASSED if kept else Verdict.FAILED,
            why=told,
            p99_s=found.latencies.p99_s,
            achieved_per_s=found.achieved_per_s,
        )

    found = search(try_rate, start_per_s=_START_PER_S, most_per_s=_MOST_PER_S, precision=_PRECISION)
    return found.highest_per_s or 0.0


def _locust_per_s(url: str, profile: Profile) -> float:
    """Run Locust's users for a while, and return their requests a second."""
    script = Path(__file__).with_name("fast_http_users.py")
    command = [sys.executable, "-m", "locust", "-f", str(script), "--headless", "--json", "--host", url]
    command += ["--users", str(_CONNECTIONS), "--spawn-rate", str(_CONNECTIONS), "--run-time", f"{_STEP_S + 1:g}s"]
    with tempfile.TemporaryDirectory() as folder, on_core(CLIENT_CORE):
        sent = Path(folder) / "bodies"
        sent.write_bytes(pickle.dumps(bodies(profile)))
        command += ["--loglevel", "ERROR"]
        environment = {"PATH": "/usr/bin:/bin", BODIES_VARIABLE: str(sent), "PYTHONPATH": str(peers.HERE.parents[1])}
        ended = run(command, budget_s=_LOCUST_BUDGET_S, environment=environment)
    if ended.returncode != 0:
        raise wrk.WrkFailed(last_lines(ended.stdout))
    (entry,) = json.loads(ended.stdout[ended.stdout.index("[") :])
    took_s = entry["last_request_timestamp"] - entry["start_time"]
    return float(entry["num_requests"] / took_s)


def _wrk_per_s(url: str, profile: Profile) -> float:
    with on_core(CLIENT_CORE):
        return wrk.load(wrk.Place(url=url), bodies(profile), connections=_CONNECTIONS, duration_s=_STEP_S).rate_per_s


def _latencies(url: str, profile: Profile) -> list[tuple[float, float]]:
    """Return (ours, wrk's) p50 and p99 in seconds at one rate."""
    with on_core(CLIENT_CORE):
        closed = wrk.load(wrk.Place(url=url), bodies(profile), connections=_STEADY_CONNECTIONS, duration_s=_STEADY_S)
    ours = _figures(url, profile, rate_per_s=closed.rate_per_s, duration_s=_STEADY_S).latencies
    return [(ours.p50_s, closed.p50_s), (ours.p99_s, closed.p99_s)]


def _rates(rounds: list[tuple[float, float, float]]) -> Line:
    ours, locust, closed = (statistics.median(column) for column in zip(*rounds, strict=True))
    to_locust = spread([one[0] / one[1] for one in rounds])
    to_wrk = spread([one[0] / one[2] for one in rounds])
    return Line(
        measured=f"load generation: requests/s of one core, lag p99 under {_LAG_S * 1000:g} ms",
        ours=f"{ours:.0f}",
        beside=f"FastHttpUser {locust:.0f}, wrk {closed:.0f}, both closed loop",
        ratio=f"{to_locust} and {to_wrk} times",
    )


def _steady(name: str, pairs: list[tuple[float, float]]) -> Line:
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = spread([one / other for one, other in pairs])
    return Line(
        measured=f"load generation: {name} of a steady server",
        ours=f"{ours * 1000:.2f} ms",
        beside=f"wrk {theirs * 1000:.2f} ms",
        ratio=f"{ratio} times",
        goal=f"within {_GOAL:.0%}",
        kept=abs(ratio.median - 1) <= _GOAL,
    )


ROW = Row(name="generation", how=HOW, budget_s=170, run=measure_all)
