"""The verdicts on the seeded defects, judged in the background while other proofs run."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.system.base_image import ensure_base_image
from harness.system.container import Launch, Sut
from harness.system.engine import ensure_engine
from tests.detection.fronts import start_front
from tests.detection.layers import FOLDERS, ROOT, Defect, lay_over, layer_of, layer_of_all, read_defects
from tests.detection.plain import build_plain_image
from tests.detection.runner import run_pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.system.guard import Run

Bases = dict[str, str]
# The whole suite on each defect, or the checks for the rules that it breaks: those speak for other rules besides.
WHOLE = os.environ.get("PROOF_DETECTION") == "whole"
_BUDGET_S = 240.0
_SHOWN = 6_000
IMPATIENCE = {
    "recovery_s = 60": "recovery_s = 20",
    "leak_requests = 3000": "leak_requests = 1200",
    "leak_warm_up = 1000": "leak_warm_up = 200",
}


@pytest.fixture(scope="session", autouse=True)
def judging_begins(request: pytest.FixtureRequest) -> None:
    """Begin to judge at once where any test of the run will ask for it."""
    if any("judged" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("judged")


@pytest.fixture(scope="session")
def host_url(sut_image: str, sut_run: Run) -> Iterator[str]:
    """Start one container that serves every wire defect, each under its name, and return its base URL."""
    with closing(docker.from_env()) as engine:
        image = lay_over(
            engine,
            sut_image,
            layer_of_all(read_defects()),
            tag=f"all-{sut_run.id}",
            environment={},
            labels=sut_run.labels,
        )
        sut = Sut(image, load_profile(), sut_run, launch=Launch(arguments=("serve",))).start()
        try:
            # The host has no route without a defect's name: any defect's ping tells when the model is loaded.
            sut.wait_ready(below="/html_errors")
            yield sut.url
        finally:
            sut.remove()
            engine.images.remove(image, force=True)


@pytest.fixture(scope="session")
def plain_image(sut_run: Run) -> Iterator[str]:
    """Make the second good container's image: small, of the standard library alone, quick to start."""
    with closing(docker.from_env()) as engine:
        yield build_plain_image(engine, ensure_base_image(ensure_engine(say=print), say=print), sut_run.labels)


@pytest.fixture(scope="session")
def upstream_url(plain_image: str, sut_run: Run) -> Iterator[str]:
    """Start the good container that the fronts stand before, and return its URL."""
    sut = Sut(plain_image, load_profile(), sut_run).start()
    sut.wait_ready()
    yield sut.url
    sut.remove()


@pytest.fixture(scope="session")
def bases(sut_image: str, plain_image: str) -> Bases:
    """Name the good containers that defects are laid over."""
    return {"reference": sut_image, "plain": plain_image}


@pytest.fixture(scope="session")
def asked(request: pytest.FixtureRequest) -> list[Defect]:
    """Name the defects that the tests of this run are about."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    found = {call.params["defect"].name for call in calls if call is not None and "defect" in call.params}
    return [defect for defect in read_defects() if defect.name in found]


@pytest.fixture(scope="session")
def judged(
    host_url: str, upstream_url: str, bases: Bases, asked: list[Defect], sut_run: Run
) -> Iterator[dict[str, Future[dict[str, Any]]]]:
    """Judge every defect in the background; a verdict to come by each name."""
    folders = {defect.name: Path(tempfile.mkdtemp(prefix=f"{defect.name}-")) for defect in asked}

    def judge(defect: Defect) -> dict[str, Any]:
        found = once(defect)
        # UNKNOWN is about the machine, which is busy here: the same question is put once more, to the same checks.
        return once(defect) if found["verdict"] == "UNKNOWN" else found

    def once(defect: Defect) -> dict[str, Any]:
        folder = folders[defect.name]
        if defect.place == "front":
            with start_front(defect.name, upstream_url) as url:
                return _judge(defect, folder, f"--sut-url={url}")
        if defect.place == "wire" and defect.suite != "chaos":
            return _judge(defect, folder, f"--sut-url={host_url}/{defect.name}")
        with _laid_over(defect, bases[defect.base], sut_run) as image:
            return _judge(defect, folder, f"--sut-image={image}")

    # A defect on the wire keeps a core busy half of the time; one under faults, load or at its start mostly waits.
    lanes = {"wire": ThreadPoolExecutor(2), "own": ThreadPoolExecutor(3), "load": ThreadPoolExecutor(2)}
    verdicts = {defect.name: lanes[_lane(defect)].submit(judge, defect) for defect in asked}
    try:
        yield verdicts
    finally:
        for lane in lanes.values():
            lane.shutdown(cancel_futures=True)
        for folder in folders.values():
            shutil.rmtree(folder)
        _write_times(verdicts)


def _write_times(verdicts: dict[str, Future[dict[str, Any]]]) -> None:
    """Leave behind how long each defect took, in seconds: where the time of a run goes."""
    ended = {name: found for name, found in verdicts.items() if found.done() and not found.cancelled()}
    times = {name: round(found.result()["took_s"], 1) for name, found in ended.items() if found.exception() is None}
    path = ROOT / "reports" / "detection.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(dict(sorted(times.items(), key=lambda row: -row[1])), indent=1) + "\n", encoding="utf-8")


def _lane(defect: Defect) -> str:
    if defect.suite == "load":
        return "load"
    return "wire" if defect.place == "wire" and defect.suite != "chaos" else "own"


@contextmanager
def _laid_over(defect: Defect, base: str, run: Run) -> Iterator[str]:
    """Make an image with one defect, and remove it."""
    files, environment = layer_of(defect)
    with closing(docker.from_env()) as engine:
        image = lay_over(engine, base, files, tag=f"{defect.name}-{run.id}", environment=environment, labels=run.labels)
        try:
            yield image
        finally:
            engine.images.remove(image, force=True)


def _impatient_profile(folder: Path) -> Path:
    """Write the default profile with less patience: what never recovers, or always leaks, is waited for to the end."""
    text = DEFAULT_PROFILE.read_text(encoding="utf-8")
    for promise, instead in IMPATIENCE.items():
        assert promise in text
        text = text.replace(promise, instead)
    path = folder / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _judge(defect: Defect, folder: Path, sut: str) -> dict[str, Any]:
    path = f"{FOLDERS[defect.suite]}/{defect.file}".rstrip("/")
    options = [f"--sut-report-dir={folder}", "--sut-alerts=off", "--sut-effort=quick", f"--rootdir={ROOT}"]
    if defect.suite == "chaos":
        options.append(f"--sut-profile={_impatient_profile(folder)}")
    selection = ["-k", defect.select] if defect.select else []
    if not WHOLE and not defect.file and not defect.select and defect.suite != "load":
        options.append(f"--sut-rules={','.join((*defect.rules, *defect.along))}")
    printed = folder / "printed.txt"
    arguments = ["-q", "-p", "no:cacheprovider", sut, *options, *selection, path]
    began_s = time.monotonic()
    run_pytest(arguments, output=printed, budget_s=_BUDGET_S)
    told = printed.read_text(encoding="utf-8", errors="replace")[-_SHOWN:]
    assert (folder / "verdict.json").exists(), told
    found: dict[str, Any] = json.loads((folder / "verdict.json").read_text())
    return {**found, "printed": told, "took_s": time.monotonic() - began_s}
