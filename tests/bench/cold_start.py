"""Cold start: from the start of the image to the first right answer, beside a bare import of TensorFlow and a load."""

from __future__ import annotations

import statistics
import time

import requests

from harness.contract.judge import OK
from harness.system.container import Sut, default_launch
from tests.bench.container_script import result_of
from tests.bench.contenders import Ground, bodies, ground
from tests.bench.row import Line, Row, spread

ROUNDS = 5
_GOAL = 1.3
_PAUSE_S, _BUDGET_S = 0.01, 60.0
HOW = (
    "the same image both times, on all cores, within the profile's memory; from Docker's start to the first 200 with a "
    "prediction, asked every 10 ms, beside `import tensorflow` and `tf.saved_model.load` alone, to the moment after "
    f"them; {ROUNDS} rounds in turn, after one that does not count"
)


def run() -> list[Line]:
    """Measure in turn."""
    with ground() as here:
        pairs = [(_answered_s(here), _loaded_s(here)) for _ in range(ROUNDS + 1)][1:]
    ours, bare = ([pair[side] for pair in pairs] for side in (0, 1))
    ratio = spread([one / other for one, other in pairs])
    return [
        Line(
            measured="cold start: image start to first right answer",
            ours=f"{statistics.median(ours):.2f} s",
            beside=f"bare import and load {statistics.median(bare):.2f} s",
            ratio=f"{ratio} times",
            goal=f"at most {_GOAL:g} times",
            kept=ratio.median <= _GOAL,
        )
    ]


def _answered_s(here: Ground) -> float:
    sut = Sut(here.image, here.profile, here.run, launch=default_launch(here.profile))
    kind, body = bodies(here.profile, windows=1)[0]
    began_s = time.monotonic()
    sut.start()
    try:
        url = f"{sut.url}{here.profile.http.invocations_path}"
        while not _is_answered(url, kind, body):
            if time.monotonic() - began_s > _BUDGET_S:
                raise TimeoutError(sut.story())
            time.sleep(_PAUSE_S)
        return time.monotonic() - began_s
    finally:
        sut.remove()


def _is_answered(url: str, kind: str, body: bytes) -> bool:
    try:
        answer = requests.post(url, data=body, headers={"Content-Type": kind}, timeout=_BUDGET_S)
    except requests.ConnectionError:
        return False
    return answer.status_code == OK and answer.json()["prediction"] > 0


def _loaded_s(here: Ground) -> float:
    began_at_s = time.time()
    launch = here.script("bare_start.py", options=default_launch(here.profile).options)
    return float(result_of(here, launch)["done_at_s"]) - began_at_s


ROW = Row(name="cold-start", how=HOW, budget_s=100, run=run)
