"""An image compared with itself is not rejected, and one that is worse is, container and all."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import docker
import pytest

from harness.cli import main
from tests.detection.layers import lay_over, layer_of, read_defects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.system.guard import Run

# `make proof` runs it, `make test` does not.
pytestmark = [pytest.mark.detection, pytest.mark.proof, pytest.mark.timeout(300)]


@pytest.mark.parametrize("way", [pytest.param((), id="fixed"), pytest.param(("--sequential",), id="sequential")])
def test_the_reference_image_is_not_rejected_beside_itself(
    way: tuple[str, ...], sut_image: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = "--champion", sut_image, "--challenger", sut_image
    status = main(["compare", *images, *way, "--windows=700", "--report-dir", str(tmp_path), "--format=json"])
    found = json.loads(capsys.readouterr().out)
    assert status in (0, 3), found["reasons"]
    assert not [finding for finding in found["findings"] if finding["verdict"] == "FAILED"]
    assert main(["compare", "--judge", str(tmp_path / "compare.jsonl")]) == status


@pytest.fixture
def worse_image(request: pytest.FixtureRequest, sut_image: str, sut_run: Run) -> Iterator[str]:
    """Make the reference image with one defect."""
    (defect,) = [one for one in read_defects() if one.name == request.param]
    files, environment = layer_of(defect)
    with closing(docker.from_env()) as engine:
        tag = f"{defect.name}-compare-{sut_run.id}"
        image = lay_over(engine, sut_image, files, tag=tag, environment=environment, labels=sut_run.labels)
        yield image
        engine.images.remove(image, force=True)


@pytest.mark.parametrize(
    "worse_image",
    ["worse_than_persistence", "one_percent_errors", "slow_tail", "negative_volume_accepted", "drifts"],
    indirect=True,
)
def test_a_worse_image_is_rejected(
    worse_image: str, sut_image: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = "--champion", sut_image, "--challenger", worse_image
    status = main(["compare", *images, "--report-dir", str(tmp_path), "--format=json"])
    found = json.loads(capsys.readouterr().out)
    assert (status, found["decision"]) == (1, "REJECT"), found["reasons"]
