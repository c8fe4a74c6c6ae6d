"""Another domain is a profile and no line of the harness: hours of energy demand for seconds of a price."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.detection.energy import PROFILE, all_defects, energy_image, read_energy_defects
from tests.detection.layers import FOLDERS, ROOT
from tests.detection.verdicts import judge_suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from harness.system.guard import Run
    from tests.detection.energy import EnergyDefect
    from tests.detection.verdicts import Found

pytestmark = pytest.mark.detection

DEFECTS = read_energy_defects()
LANES = 2
BUDGET_S = 420.0


@pytest.fixture(scope="module")
def image(plain_image: str, sut_run: Run) -> Iterator[str]:
    """Make the good forecaster's image."""
    with energy_image(plain_image, sut_run) as name:
        yield name


@pytest.fixture(scope="module")
def found(
    request: pytest.FixtureRequest, image: str, sut_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Found]]]:
    """Judge every defect that is asked for, side by side, at one container that has them all."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    asked = [defect for defect in DEFECTS if any(call and call.params.get("defect") is defect for call in calls)]
    with all_defects(image, sut_run) as url, ThreadPoolExecutor(LANES) as lanes:
        folder = tmp_path_factory.mktemp("energy")
        yield {one.name: lanes.submit(_judge, one, url, folder / one.name) for one in asked}


def _judge(defect: EnergyDefect, url: str, folder: Path) -> Found:
    options = [f"--sut-url={url}/{defect.name}", f"--sut-profile={PROFILE}", "--sut-effort=quick", "-x"]
    options.append(f"--sut-rules={','.join(defect.rules)}")
    return judge_suite([*options, FOLDERS[defect.suite]], folder)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_of_another_domain_is_caught(defect: EnergyDefect, found: dict[str, Future[Found]]) -> None:
    seen = found[defect.name].result()
    assert seen.verdict == "FAILED", seen.printed
    assert set(defect.rules) <= seen.failed <= {*defect.rules, *defect.along}, (seen.failed, seen.printed)


@pytest.mark.proof
@pytest.mark.parametrize("suite", FOLDERS)
def test_a_good_container_of_another_domain_passes(image: str, suite: str, tmp_path: Path) -> None:
    asked = ["--suite", suite, f"--sut-image={image}", f"--sut-profile={PROFILE}", f"--report-dir={tmp_path}"]
    command = [sys.executable, "-m", "harness.cli", "gate", *asked]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BUDGET_S, check=False)
    assert ended.returncode == 0, ended.stdout[-6_000:] + ended.stderr[-3_000:]
