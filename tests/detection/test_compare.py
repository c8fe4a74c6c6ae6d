"""An image compared with itself is not rejected, container and all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.cli import main

if TYPE_CHECKING:
    from pathlib import Path

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
