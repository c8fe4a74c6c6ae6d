"""The containers that are measured: all of the reference image, on one core and with one worker each."""

from __future__ import annotations

import dataclasses
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.contract.profile import DEFAULT_PROFILE, Profile, load_profile
from harness.contract.records import CONTENT_TYPES, build, encode, last_whole_second_ns
from harness.contract.series import generate
from harness.system.container import Launch, Sut
from harness.system.engine import ensure_engine
from harness.system.guard import begin_run
from harness.system.reference_image import ensure_reference_image
from tests.bench import peers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract.records import Codec
    from harness.system.engine import Engine
    from harness.system.guard import Run

SERVER_CORE, CLIENT_CORE = 0, 1
# Where a load generator in a process of its own finds its bodies.
BODIES_VARIABLE = "BENCH_BODIES"
# As the reference container tells TensorFlow; the peers have it no worse.
TENSORFLOW = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}
_MOST_SHARES = 200_000
_SERIES_S = 600
ON_ONE_CORE = {"cpuset_cpus": str(SERVER_CORE), "cpu_shares": _MOST_SHARES}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every measurement stands on: engine, image, profile, and the run whose guard clears up."""

    engine: Engine
    image: str
    profile: Profile
    run: Run

    def start(self, launch: Launch) -> Sut:
        """Start a container of the image, and wait until it answers pings."""
        sut = Sut(self.image, self.profile, self.run, launch=launch).start()
        sut.wait_ready()
        return sut

    def reference(self) -> Sut:
        """Start the reference container as it is."""
        return self.start(Launch(arguments=self.profile.container.arguments, options=ON_ONE_CORE))

    def mlflow(self) -> Sut:
        """Start mlflow's scoring server with the reference container's SavedModel."""
        return self.start(self.script("mlflow_server.py", str(self.profile.container.port)))

    def script(
        self,
        name: str,
        *arguments: str,
        volumes: Mapping[str, str] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Launch:
        """Describe a container that runs a script of `inside` beside the peers' packages, by default on one core."""
        brought = {str(peers.python_packages(self.engine)): "/peers", str(peers.HERE / "inside"): "/bench"}
        return Launch(
            arguments=(f"/bench/{name}", *arguments),
            environment=TENSORFLOW | {"PYTHONPATH": "/peers:/app:/site"},
            volumes=brought | dict(volumes or {}),
            options={"entrypoint": ["python"], **(ON_ONE_CORE if options is None else options)},
        )


@contextmanager
def ground() -> Iterator[Ground]:
    """Set up what is missing, and remove every container at the end."""
    engine = ensure_engine(say=print)
    image = ensure_reference_image(engine, say=print)
    run = begin_run()
    try:
        yield Ground(engine=engine, image=image, profile=load_profile(DEFAULT_PROFILE), run=run)
    finally:
        run.end()


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keep this process, and those that it starts, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def bodies(profile: Profile, *, windows: int = 24, seed: int = 0) -> list[tuple[str, bytes]]:
    """Return fresh windows as bodies, each as JSON and as CSV, with their content types."""
    series, rule = generate(seed=seed, seconds=_SERIES_S), profile.window
    end_ns, step = last_whole_second_ns(time.time()), (_SERIES_S - rule.records) // windows
    codecs: list[Codec] = list(CONTENT_TYPES)
    return [
        (CONTENT_TYPES[codec], encode(rule, window, codec))
        for index in range(windows)
        for window in [build(rule, series[index * step : index * step + rule.records], end_ns=end_ns)]
        for codec in codecs
    ]
