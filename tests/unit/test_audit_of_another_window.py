"""Another team's window is audited as well: five-second candles without events, volume or count."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.audit.model.asking import Asker
from harness.audit.model.audit import Subject, audit_model
from harness.audit.model.market import market_of
from harness.audit.saved_model.layout import layout_of
from harness.contract.profile import load_profile
from harness.contract.series import generate
from harness.system.client import Answer, Exchange, Request
from tests.unit.test_window_is_a_description import OTHER

if TYPE_CHECKING:
    from pathlib import Path

    from harness.contract.records import Codec, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class LastClose:
    """A door to persistence, give or take a few millionths, by the names of the other window."""

    share: float = 1.0

    def predict(self, window: Window, codec: Codec = "json") -> Exchange:
        """Answer with the last close, or a share of it."""
        closes = [float(str(record["c"])) for record in window.records]
        jumps = any(abs(after / before - 1) > 0.05 for before, after in pairwise(closes))
        lean = 1 + 1e-3 * max(min(closes[-1] / closes[-2] - 1, 0.01), -0.01)
        content = {"prediction": self.share * lean * closes[-1], "anomalies": [codec] if jumps else []}
        answer = Answer(status=200, headers={}, body=json.dumps(content).encode(), elapsed_s=0.001)
        return Exchange(url="", request=Request(method="POST", path="/"), answer=answer)

    def close(self) -> None:
        """Close nothing."""


def test_another_window_is_audited(tmp_path: Path) -> None:
    path = tmp_path / "candles.toml"
    path.write_text(OTHER, encoding="utf-8")
    profile = load_profile(path)
    market = market_of(generate(seed=4, seconds=420, level=30.0), profile)
    for share, blocks in ((1.0, set()), (1.02, {"skill.worse_than_persistence", "flat.moves_without_reason"})):
        asker = Asker(open_door=lambda share=share: LastClose(share=share), profile=profile, threads=1)  # type: ignore[misc]  # mypy cannot infer a default
        audit = audit_model(Subject(name="candles", asker=asker), market, windows=400)
        assert {finding.id for finding in audit.findings if finding.severity == "blocks"} == blocks
        fields = next(finding for finding in audit.findings if finding.id.startswith("sensitivity."))
        assert set(fields.numbers) == {f"{name}_effect_share" for name in ("o", "h", "l", "c")}


def test_another_windows_leaky_layout_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "candles.toml"
    path.write_text(OTHER, encoding="utf-8")
    assert str(layout_of(47, load_profile(path).window)) == "12 x 4 - 1"
