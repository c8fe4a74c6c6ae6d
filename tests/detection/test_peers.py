"""Servers that others wrote are judged by what they promise: a profile each, and no change of code."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.system.engine import ensure_engine
from tests.detection.layers import ROOT
from tests.detection.peer_images import bentoml, challenge, mlflow, mlserver, peer_image

if TYPE_CHECKING:
    from pathlib import Path

    from harness.system.guard import Run

pytestmark = [pytest.mark.detection, pytest.mark.proof, pytest.mark.timeout(900)]

BUDGET_S = 600.0
PEERS = {"challenge": lambda _: challenge(), "mlflow": mlflow, "mlserver": mlserver, "bentoml": bentoml}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """How the gate ended on a peer: the rules that failed, those that passed, and the last that it printed."""

    failed: frozenset[str]
    passed: frozenset[str]
    printed: str


# What is found wrong with each, as fixtures/profiles/FINDINGS.md tells it. The challenge's service does not live to
# see the end of the checks: what is asked of it afterwards fails too.
FOUND = {
    "challenge": {"C10", "C18"},
    "mlflow": {"C5", "C7", "C9", "C10"},
    "mlserver": {"C7", "C10"},
    "bentoml": {"C3", "C9", "C10"},
}
PROMISES_NOTHING_OF = {"C1", "C2", "C6", "C8", "C11", *(f"D{number}" for number in range(1, 12))}


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_is_judged_by_what_it_promises(name: str, sut_image: str, sut_run: Run, tmp_path: Path) -> None:
    peer = PEERS[name](ensure_engine(say=print))
    with peer_image(peer, sut_image, sut_run) as image:
        found = _gate(image, peer.profile, tmp_path)
    assert FOUND[name] <= found.failed, found.printed
    assert not found.failed & PROMISES_NOTHING_OF, found.printed
    if name != "challenge":
        assert found.failed == FOUND[name], found.printed
        assert {"R1", "P1", "P2", "P4"} <= found.passed, found.printed


def _gate(image: str, profile: Path, folder: Path) -> Gated:
    asked = [
        "--suite=contract",
        "--suite=dq",
        f"--sut-image={image}",
        f"--sut-profile={profile}",
        f"--report-dir={folder}",
        "--sut-alerts=off",
    ]
    command = [sys.executable, "-m", "harness.cli", "gate", *asked]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BUDGET_S, check=False)
    rules: dict[str, dict[str, Any]] = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))["rules"]
    of = {
        outcome: frozenset(rule_id for rule_id, entry in rules.items() if entry["outcome"] == outcome)
        for outcome in ("failed", "passed")
    }
    return Gated(**of, printed=ended.stdout[-8_000:] + ended.stderr[-2_000:])
