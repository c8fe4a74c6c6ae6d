"""Serving: the reference container beside mlflow's scoring server, and beside the bare call of the SavedModel."""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from harness.contract.judge import OK
from harness.contract.verdict import Verdict
from harness.load.figures import figures
from harness.load.run import measure
from harness.load.search import Step, length_s, search
from harness.system.waiting import wait_for
from tests.bench import wrk
from tests.bench.container_script import result_of
from tests.bench.contenders import CLIENT_CORE, bodies, ground, on_core
from tests.bench.row import Line, Row, spread

if TYPE_CHECKING:
    from harness.contract.profile import Profile
    from harness.load.record import LoadRecord
    from harness.system.container import Sut
    from tests.bench.contenders import Ground

P99_S = 0.1
ROUNDS = 3
_LEAST_S, _WARM_UP_S, _HANG_S = 3.0, 0.5, 3.0
_LAG_S = 0.02
_SETTLES_S = 30.0
_SCOUT_CONNECTIONS, _SCOUT_S = 16, 3.0
_FIRST_SHARE, _MOST_SHARE = 0.7, 1.2
_ADDED_S = 0.0015
_GOAL = 3.0

HOW = (
    "both in containers of the reference image, on one core and with one worker each, the client on another core; the "
    "same SavedModel, TensorFlow and windows of 60 records, half JSON, half CSV; mlflow checks no data rule. The "
    f"highest rate by our own open loop, by bisection to 10 %, at a p99 of {P99_S * 1000:g} ms from the due moment and "
    f"no failure; {ROUNDS} rounds in turn. The p50 is that of one request at a time (wrk), beside the SavedModel's "
    "call with one row in a loop, on the same core"
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    """A server, and the profile in whose words it is asked."""

    sut: Sut
    profile: Profile


def run() -> list[Line]:
    """Measure in turn, and return both lines."""
    with ground() as here:
        reference = _Server(sut=here.reference(), profile=_hurried(here.profile, here.profile.window.key))
        mlflow = _Server(sut=here.mlflow(), profile=_hurried(here.profile, "dataframe_records"))
        _agree(reference, mlflow)
        pairs = [(highest_per_s(reference), highest_per_s(mlflow)) for _ in range(ROUNDS)]
        return [_rates(pairs), _added(here, reference)]


def _hurried(profile: Profile, key: str) -> Profile:
    """Return the profile under another key for the window, without pings or broken requests, and with less patience."""
    return dataclasses.replace(
        profile,
        window=dataclasses.replace(profile.window, key=key),
        load=dataclasses.replace(profile.load, warm_up_s=_WARM_UP_S, ping_rate_per_s=0, broken_share=0),
        http=dataclasses.replace(profile.http, hang_s=_HANG_S),
    )


def _agree(reference: _Server, mlflow: _Server) -> None:
    """See that both predict the same: otherwise they were not the same model."""
    for (kind, ours), (_, theirs) in zip(bodies(reference.profile), bodies(mlflow.profile), strict=True):
        one = _answer(reference, kind, ours)["prediction"]
        other = _answer(mlflow, kind, theirs)["predictions"][0]
        if abs(one / other - 1) > reference.profile.prediction.same_tolerance:
            msg = f"the reference container predicts {one}, mlflow {other}"
            raise AssertionError(msg)


def _answer(server: _Server, kind: str, body: bytes) -> Any:  # noqa: ANN401 - JSON
    url = f"{server.sut.url}{server.profile.http.invocations_path}"
    return requests.post(url, data=body, headers={"Content-Type": kind}, timeout=_HANG_S).json()


def highest_per_s(server: _Server) -> float:
    """Return the highest rate that a server keeps; a closed loop says first where to look."""
    with on_core(CLIENT_CORE):
        scouted = wrk.load(
            wrk.Place(url=server.sut.url), bodies(server.profile), connections=_SCOUT_CONNECTIONS, duration_s=_SCOUT_S
        ).rate_per_s
        found = search(
            lambda rate_per_s: _step(server, rate_per_s),
            start_per_s=_FIRST_SHARE * scouted,
            most_per_s=_MOST_SHARE * scouted,
        )
    if found.highest_per_s is None:
        msg = f"{server.sut.url}: no rate was kept: {found.reason}"
        raise AssertionError(msg)
    return found.highest_per_s


def _step(server: _Server, rate_per_s: float) -> Step:
    _settle(server)
    with tempfile.TemporaryDirectory() as folder:
        record = measure(
            server.sut.url,
            server.profile,
            report_dir=Path(folder),
            rate_per_s=rate_per_s,
            duration_s=length_s(rate_per_s, least_s=_LEAST_S),
        )
    step = judge_step(record)
    print(f"    {rate_per_s:7.1f}/s {step.verdict.value:8} p99 {step.p99_s * 1000:.0f} ms {step.why}", flush=True)  # noqa: T201 - progress
    return step


def _settle(server: _Server) -> None:
    """Wait until one request alone is answered at once: what the step before left in the queue is not this one's."""
    kind, body = bodies(server.profile)[0]
    url = f"{server.sut.url}{server.profile.http.invocations_path}"

    def is_idle() -> bool | None:
        try:
            answer = requests.post(url, data=body, headers={"Content-Type": kind}, timeout=_HANG_S)
        except requests.RequestException:
            return None
        return True if answer.status_code == OK and answer.elapsed.total_seconds() < P99_S / 2 else None

    wait_for(is_idle, subject=f"{url} to have worked off its queue", budget_s=_SETTLES_S)


def judge_step(record: LoadRecord) -> Step:
    """Judge a rate by what was answered, whoever answered: the rules of the contract are not mlflow's."""
    found = figures(record, ())
    failed = sum(one.status != OK for one in record.of_kind("invocation"))
    reasons = {
        f"{failed} requests failed": failed > 0,
        f"the p99 was over {P99_S * 1000:g} ms": found.latencies.p99_s > P99_S,
    }
    why = next((reason for reason, applies in reasons.items() if applies), "")
    lagged = found.lag_p99_s > _LAG_S
    verdict = Verdict.FAILED if why else Verdict.PASSED
    return Step(
        rate_per_s=record.plan.rate_per_s,
        verdict=Verdict.UNKNOWN if lagged else verdict,
        why=f"the generator lagged by {found.lag_p99_s * 1000:.0f} ms" if lagged else why,
        p99_s=found.latencies.p99_s,
        achieved_per_s=found.achieved_per_s,
    )


def _rates(pairs: list[tuple[float, float]]) -> Line:
    ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
    ratio = spread([one / other for one, other in pairs])
    return Line(
        measured=f"serving: requests/s within a p99 of {P99_S * 1000:g} ms",
        ours=f"{statistics.median(ours):.0f}",
        beside=f"mlflow {statistics.median(theirs):.0f}",
        ratio=f"{ratio} times",
        goal=f"{_GOAL:g} times",
        kept=ratio.median >= _GOAL,
    )


def _added(here: Ground, reference: _Server) -> Line:
    served, bare = [], []
    for _ in range(ROUNDS):
        with on_core(CLIENT_CORE):
            place = wrk.Place(url=reference.sut.url)
            served.append(wrk.load(place, bodies(here.profile), connections=1, duration_s=_SCOUT_S).p50_s)
        bare.append(result_of(here, here.script("bare_call.py"))["p50_s"])
    added = spread([(one - other) * 1000 for one, other in zip(served, bare, strict=True)])
    return Line(
        measured="serving: p50 of one request at a time",
        ours=f"{statistics.median(served) * 1000:.2f} ms",
        beside=f"the bare SavedModel call {statistics.median(bare) * 1000:.2f} ms",
        ratio=f"{added} ms more",
        goal=f"{_ADDED_S * 1000:g} ms more",
        kept=added.median <= _ADDED_S * 1000,
    )


ROW = Row(name="serving", how=HOW, budget_s=330, run=run)
