"""The audit of a served model: each bad one is found under its id and severity, and good ones are let pass."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from fixtures.audit_models.models import BAD, GOOD, Model, knows_the_future
from fixtures.audit_models.server import read_csv, respond
from harness.audit.finding import Audit, Severity
from harness.audit.model.asking import Asker
from harness.audit.model.audit import Subject, audit_model
from harness.audit.model.market import TooShort, market_of
from harness.contract.profile import load_profile
from harness.contract.records import encode
from harness.contract.series import generate
from harness.system.client import Answer, Exchange, Request

if TYPE_CHECKING:
    from harness.contract.records import Codec, Window

pytestmark = pytest.mark.detection

PROFILE = load_profile()
# The slow model's pause is long beside this one's budget, and short beside a test's patience.
HASTY = replace(PROFILE, http=replace(PROFILE.http, budget_s=0.1))
SERIES = generate(seed=21, seconds=420, level=30_000.0)
MARKET = market_of(SERIES, HASTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A door to a model in this process, without a wire."""

    model: Model

    def predict(self, window: Window, codec: Codec = "json") -> Exchange:
        """Answer as the server would."""
        began_s = time.perf_counter()
        body = b"" if codec == "json" else encode(PROFILE.window, window, codec)
        records = [dict(record) for record in window.records] if codec == "json" else read_csv(body)
        status, content = respond(self.model, records)
        answer = Answer(status=status, headers={}, body=content, elapsed_s=time.perf_counter() - began_s)
        return Exchange(url="", request=Request(method="POST", path="/", body=body), answer=answer)

    def close(self) -> None:
        """Close nothing."""


def audited(model: Model) -> Audit:
    asker = Asker(open_door=lambda: Inside(model=model), profile=HASTY, threads=1)
    return audit_model(Subject(name="fixture", asker=asker), MARKET, windows=320)


def blocking(audit: Audit) -> list[str]:
    return [finding.id for finding in audit.findings if finding.severity is Severity.BLOCKS]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_model_is_found(name: str) -> None:
    model, finding, severity = BAD[name]
    audit = audited(model)
    assert {one.id: one.severity.value for one in audit.findings}.get(finding) == severity, audit.to_json()
    assert audit.exit_status == (1 if blocking(audit) else 0)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_model_is_not_blocked(name: str) -> None:
    audit = audited(GOOD[name])
    assert blocking(audit) == []
    assert audit.exit_status == 0, audit.untold
    assert set(audit.series) == {"error", "moves", "level", "fields"}
    assert all(low <= value <= high for value, low, high in audit.series["error"].values())  # type: ignore[operator]  # none is left out


def test_a_good_interval_is_said_to_hold_and_latency_is_a_footnote() -> None:
    found = {one.id: one.severity.value for one in audited(GOOD["with_an_interval"]).findings}
    assert (found["calibration.kept"], found["cost.footnote"]) == ("informs", "informs")


def test_the_dead_relu_is_named_in_words() -> None:
    found = next(one for one in audited(BAD["dead_relu"][0]).findings if one.id == "output.constant")
    assert found.says.startswith("The model predicts 0 for every input")
    assert "a dead ReLU" in found.says


def test_what_knows_the_recording_by_heart_is_too_good() -> None:
    closes = [second.close for second in SERIES]
    future = {tuple(closes[at - 8 : at]): closes[at] for at in range(8, len(closes))}
    assert "skill.too_good" in {one.id for one in audited(knows_the_future(future)).findings}


def test_a_recording_without_a_window_is_too_short() -> None:
    with pytest.raises(TooShort, match="60 periods"):
        market_of(SERIES[:60], PROFILE)


def test_of_few_windows_no_skill_is_told() -> None:
    asker = Asker(open_door=lambda: Inside(model=GOOD["half_way_back"]), profile=PROFILE, threads=1)
    audit = audit_model(Subject(name="fixture", asker=asker), market_of(SERIES[:100], PROFILE))
    assert "200 are needed" in audit.untold[0]
    assert audit.exit_status == 2
