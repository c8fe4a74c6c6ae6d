"""The verdicts on the seeded defects, judged in the background while other proofs run."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import docker
import pytest

from harness.contract.profile import load_profile
from harness.system.container import Launch, Sut
from tests.detection.layers import FOLDERS, ROOT, Defect, lay_over, layer_of, layer_of_all, read_defects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.system.guard import Run


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
            engine, sut_image, layer_of_all(read_defects()), tag="all", environment={}, labels=sut_run.labels
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
def judged(
    host_url: str, sut_image: str, sut_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[dict[str, Any]]]]:
    """Judge every defect in the background; a verdict to come by each name."""
    # Made here, one after the other: pytest's factory is not for several threads.
    folders = {defect.name: tmp_path_factory.mktemp(defect.name) for defect in read_defects()}

    def judge(defect: Defect) -> dict[str, Any]:
        folder = folders[defect.name]
        if defect.suite != "chaos":
            return _judge(defect, folder, f"--sut-url={host_url}/{defect.name}")
        with closing(docker.from_env()) as engine:
            files, environment = layer_of(defect)
            image = lay_over(engine, sut_image, files, tag=defect.name, environment=environment, labels=sut_run.labels)
            try:
                return _judge(defect, folder, f"--sut-image={image}")
            finally:
                engine.images.remove(image, force=True)

    # A defect on the wire keeps a core busy; one under faults or load mostly waits.
    with ThreadPoolExecutor(1) as busy, ThreadPoolExecutor(2) as waiting:
        lanes = {"contract": busy, "dq": busy, "chaos": waiting, "load": waiting}
        yield {defect.name: lanes[defect.suite].submit(judge, defect) for defect in read_defects()}
        busy.shutdown(cancel_futures=True)
        waiting.shutdown(cancel_futures=True)


def _judge(defect: Defect, folder: Path, sut: str) -> dict[str, Any]:
    path = f"{FOLDERS[defect.suite]}/{defect.file}".rstrip("/")
    options = [f"--sut-report-dir={folder}", "--sut-alerts=off", "--sut-effort=quick", f"--rootdir={ROOT}"]
    selection = ["-k", defect.select] if defect.select else []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", sut, *options, *selection, path]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert (folder / "verdict.json").exists(), ended.stdout[-3_000:] + ended.stderr[-3_000:]
    found: dict[str, Any] = json.loads((folder / "verdict.json").read_text())
    return found
