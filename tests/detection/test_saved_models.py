"""SavedModels made by TensorFlow itself: each fault is found, by what the reference image sees inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.audit.model.market import market_of
from harness.audit.saved_model.audit import audit_saved_model
from harness.contract.profile import load_profile
from harness.contract.series import generate
from harness.system.engine import ensure_engine
from harness.system.reference_image import ensure_reference_image

if TYPE_CHECKING:
    from harness.audit.finding import Audit
    from harness.system.guard import Run

MAKER = Path(__file__).parents[2] / "fixtures" / "audit_models" / "make_saved_models.py"
MARKET = market_of(generate(seed=9, seconds=2_000), load_profile())

# `make proof` runs it, `make test` does not.
pytestmark = [pytest.mark.detection, pytest.mark.proof, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def made(sut_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the models, in the reference image."""
    folder, engine = tmp_path_factory.mktemp("models"), ensure_engine(say=print)
    engine.client.containers.run(
        ensure_reference_image(engine, say=print),
        ["/make.py", "/models"],
        entrypoint=["python"],
        remove=True,
        network_mode="none",
        volumes={str(MAKER): {"bind": "/make.py", "mode": "ro"}, str(folder): {"bind": "/models", "mode": "rw"}},
        labels=dict(sut_run.labels),
    )
    return folder


def audited(folder: Path) -> Audit:
    return audit_saved_model(folder, MARKET, python=None, say=print)


def severities(audit: Audit) -> dict[str, str]:
    return {finding.id: finding.severity.value for finding in audit.findings}


def test_a_leaky_dead_model_that_does_not_load_is_found_by_each_of_these(made: Path) -> None:
    audit = audited(made / "leaky_dead_and_with_its_optimizer")
    found = severities(audit)
    assert found["layout.leaks_the_target"] == "blocks"
    assert found["saved.optimizer_aboard"] == "warns"
    assert found["saved.does_not_load"] == "blocks"
    assert found["saved.output_constant"] == "blocks"
    unloaded = next(finding for finding in audit.findings if finding.id == "saved.does_not_load")
    assert "add_slot" in unloaded.says
    assert "without its slots it loads" in unloaded.advice
    assert audit.exit_status == 1


def test_units_that_raw_prices_saturate_are_found(made: Path) -> None:
    audit = audited(made / "saturated_by_raw_prices")
    assert severities(audit)["units.saturated"] == "warns"
    assert severities(audit)["layout.raw_window"] == "informs"


def test_a_model_that_is_alive_is_not_blocked(made: Path) -> None:
    audit = audited(made / "alive")
    assert audit.exit_status == 0, audit.to_json()
    assert severities(audit)["saved.loads"] == "informs"
