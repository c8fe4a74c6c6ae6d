"""The audit of a model lets the reference container pass, from its start to its last trial."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

import pytest

from harness.audit_model_command import add_audit_model
from harness.contract.profile import load_profile
from harness.contract.records import SECOND_NS, build, to_csv
from harness.contract.series import generate

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.detection, pytest.mark.timeout(300)]


def test_the_reference_container_is_not_blocked(
    sut_image: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = tmp_path / "history.csv"
    series = generate(seed=31, seconds=2_000, level=60_000.0)
    history.write_bytes(to_csv(build(load_profile().window, series, end_ns=1_790_000_000 * SECOND_NS)))
    parser = argparse.ArgumentParser()
    add_audit_model(parser)
    chosen = parser.parse_args(["--sut-image", sut_image, "--history", str(history), "--format=json", "--windows=900"])
    status = chosen.run(chosen)
    found = json.loads(capsys.readouterr().out)
    blocking = [finding for finding in found["findings"] if finding["severity"] == "blocks"]
    assert (status, blocking, found["untold"]) == (0, [], [])
    assert "skill.beats_persistence" in {finding["id"] for finding in found["findings"]}
    (cost,) = [finding for finding in found["findings"] if finding["id"].startswith("cost.")]
    assert cost["numbers"]["memory_mib"] > 0
