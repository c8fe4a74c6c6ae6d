"""Each seeded defect is caught by the check for its rule, and rules that it does not touch pass."""

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
from tests.detection.layers import ROOT, Defect, lay_over, layer_of, layer_of_all, read_defects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.system.guard import Run

pytestmark = pytest.mark.detection

DEFECTS = read_defects()
FOLDERS = {"contract": "tests/contract", "dq": "tests/data_quality", "chaos": "tests/chaos", "load": "tests/load"}


@pytest.fixture(scope="module")
def host_url(sut_image: str, sut_run: Run) -> Iterator[str]:
    """Start one container that serves every wire defect, each under its name, and return its base URL."""
    with closing(docker.from_env()) as engine:
        image = lay_over(engine, sut_image, layer_of_all(DEFECTS), tag="all", environment={}, labels=sut_run.labels)
        sut = Sut(image, load_profile(), sut_run, launch=Launch(arguments=("serve",))).start()
        try:
            # The host has no route without a defect's name: any defect's ping tells when the model is loaded.
            sut.wait_ready(below="/html_errors")
            yield sut.url
        finally:
            sut.remove()
            engine.images.remove(image, force=True)


@pytest.fixture(scope="module")
def judged(
    host_url: str, sut_image: str, sut_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[dict[str, Any]]]]:
    """Judge every defect, two side by side as there are two cores; a verdict to come by each defect's name."""

    def judge(defect: Defect) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp(defect.name)
        if defect.suite != "chaos":
            return _judge(defect, folder, f"--sut-url={host_url}/{defect.name}")
        with closing(docker.from_env()) as engine:
            files, environment = layer_of(defect)
            image = lay_over(engine, sut_image, files, tag=defect.name, environment=environment, labels=sut_run.labels)
            try:
                return _judge(defect, folder, f"--sut-image={image}")
            finally:
                engine.images.remove(image, force=True)

    with ThreadPoolExecutor(2) as pool:
        yield {defect.name: pool.submit(judge, defect) for defect in DEFECTS}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_defect_is_caught_under_its_rule(defect: Defect, judged: dict[str, Future[dict[str, Any]]]) -> None:
    verdict = judged[defect.name].result(timeout=540)
    failed = {rule_id for rule_id, entry in verdict["rules"].items() if entry["outcome"] == "failed"}
    assert verdict["verdict"] == "FAILED"
    assert set(defect.rules) <= failed <= {*defect.rules, *defect.along}


def test_every_suite_has_a_defect() -> None:
    assert {defect.suite for defect in DEFECTS} == set(FOLDERS)


def _judge(defect: Defect, folder: Path, sut: str) -> dict[str, Any]:
    path = f"{FOLDERS[defect.suite]}/{defect.file}".rstrip("/")
    options = [f"--sut-report-dir={folder}", "--sut-alerts=off", "--sut-effort=quick", f"--rootdir={ROOT}"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", sut, *options, path]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert (folder / "verdict.json").exists(), ended.stdout[-3_000:] + ended.stderr[-3_000:]
    found: dict[str, Any] = json.loads((folder / "verdict.json").read_text())
    return found
