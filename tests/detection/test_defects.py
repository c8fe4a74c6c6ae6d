"""Each seeded defect is caught by the check for its rule, and rules that it does not touch pass."""

from __future__ import annotations

import json
import subprocess
import sys
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
ON_THE_WIRE = [defect for defect in DEFECTS if defect.place == "wire" and defect.suite != "chaos"]
UNDER_FAULTS = [defect for defect in DEFECTS if defect.suite == "chaos"]
FOLDERS = {"contract": "tests/contract", "dq": "tests/data_quality", "chaos": "tests/chaos", "load": "tests/load"}


@pytest.fixture(scope="module")
def host_url(sut_image: str, sut_run: Run) -> Iterator[str]:
    """The base URL of one container that serves every wire defect, each under its name."""
    engine = docker.from_env()
    image = lay_over(engine, sut_image, layer_of_all(DEFECTS), tag="all", environment={})
    sut = Sut(image, load_profile(), sut_run, launch=Launch(arguments=("serve",))).start()
    try:
        # The host has no route without a defect's name: any defect's ping tells when the model is loaded.
        sut.wait_ready(below="/html_errors")
        yield sut.url
    finally:
        sut.remove()
        engine.images.remove(image, force=True)


@pytest.mark.parametrize("defect", ON_THE_WIRE, ids=lambda defect: defect.name)
def test_wire_defect_is_caught(defect: Defect, host_url: str, tmp_path: Path) -> None:
    verdict = _judge(defect, tmp_path, f"--sut-url={host_url}/{defect.name}")
    _see_caught(defect, verdict)


@pytest.mark.parametrize("defect", UNDER_FAULTS, ids=lambda defect: defect.name)
def test_defect_under_faults_is_caught(defect: Defect, sut_image: str, tmp_path: Path) -> None:
    engine = docker.from_env()
    files, environment = layer_of(defect)
    image = lay_over(engine, sut_image, files, tag=defect.name, environment=environment)
    try:
        _see_caught(defect, _judge(defect, tmp_path, f"--sut-image={image}"))
    finally:
        engine.images.remove(image, force=True)


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


def _see_caught(defect: Defect, verdict: dict[str, Any]) -> None:
    failed = {rule_id for rule_id, entry in verdict["rules"].items() if entry["outcome"] == "failed"}
    assert verdict["verdict"] == "FAILED"
    assert set(defect.rules) <= failed <= {*defect.rules, *defect.along}
