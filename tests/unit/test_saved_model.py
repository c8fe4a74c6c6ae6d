"""A SavedModel read without TensorFlow: what it says of itself, how wide its input is, what was seen inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.audit.finding import Finding, Severity
from harness.audit.model.market import market_of
from harness.audit.saved_model.audit import audit_saved_model
from harness.audit.saved_model.description import Description, NoSavedModel, describe, description_of
from harness.audit.saved_model.interpreter import NotExamined, examine
from harness.audit.saved_model.judge import described, seen
from harness.audit.saved_model.layout import layout_finding, layout_of, rows_for
from harness.contract.profile import load_profile
from harness.contract.series import generate

REFERENCE = Path(__file__).parents[2] / "reference_container" / "model" / "1"
PROFILE = load_profile()
MARKET = market_of(generate(seed=5, seconds=200), PROFILE)
ALIVE: dict[str, Any] = {"name": "Relu", "kind": "Relu", "units": 8, "dead": 0, "constant": 0, "saturated_share": 0.0}
SEEN: dict[str, Any] = {
    "tensorflow": "2.21.0",
    "loads": True,
    "loads_without_slots": None,
    "error": "",
    "activations": [ALIVE],
    "outputs": [{"least": -1.0, "largest": 1.0, "not_finite": 0}],
}


def field(number: int, content: bytes | int) -> bytes:
    """Encode a field of a message, all of whose numbers are small."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2]) + length(len(content)) + content


def length(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + length(number >> 7)


def variable(*lengths: int, trainable: int = 1) -> bytes:
    shape = b"".join(field(2, field(1, one)) for one in lengths)
    return field(1, field(7, field(1, 1) + field(2, shape) + field(3, trainable)))


def saved(nodes: bytes) -> bytes:
    return field(1, 1) + field(2, field(1, field(5, b"2.4.1")) + field(7, nodes))


def by_id(findings: list[Finding]) -> dict[str, Severity]:
    return {finding.id: finding.severity for finding in findings}


def test_the_reference_model_describes_itself() -> None:
    model = describe(REFERENCE)
    assert str(model.serving) == "(features: float32[?, 119]) -> (correction: float32[?])"
    assert model.serving is not None
    assert model.serving.inputs[0].width == 119
    assert (model.trainable, model.slots, model.is_keras, model.tags) == (1_087, 0, False, ("serve",))


def test_an_optimizers_slots_are_counted_and_are_no_parameters() -> None:
    optimizer = field(1, field(3, field(1, 1) + field(2, b"m") + field(3, 2)) + field(4, field(1, b"optimizer")))
    keras = field(1, field(4, field(1, b"_tf_keras_sequential")))
    model = description_of(saved(keras + variable(100, 8) + variable(100, 8, trainable=0) + optimizer))
    assert (model.slots, model.trainable, model.is_keras, model.tensorflow) == (1, 800, True, "2.4.1")
    found = by_id(list(described(model, periods=500)))
    assert found["saved.optimizer_aboard"] is Severity.WARNS
    assert found["saved.more_parameters_than_data"] is Severity.WARNS
    assert found["saved.no_serving_signature"] is Severity.BLOCKS


@pytest.mark.parametrize("content", [b"", b"\xff" * 12, b"\x12\x7f", b"\x0b", b"{}"])
def test_what_is_no_saved_model_is_refused_in_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(NoSavedModel, match="is no SavedModel"):
        describe(tmp_path)
    with pytest.raises(NoSavedModel, match="name the folder of one version"):
        describe(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("width", "finding", "severity"),
    [
        (359, "layout.leaks_the_target", "blocks"),
        (239, "layout.leaks_the_target", "blocks"),
        (360, "layout.raw_window", "informs"),
        (354, "layout.raw_window", "informs"),
        (60, "layout.raw_window", "informs"),
        (119, "layout.unknown", "informs"),
    ],
)
def test_the_inputs_width_is_recognised(width: int, finding: str, severity: str) -> None:
    found = layout_finding(width, PROFILE.window)
    assert (found.id, found.severity.value) == (finding, severity)


def test_the_leaky_layout_is_said_in_numbers() -> None:
    assert str(layout_of(359, PROFILE.window)) == "60 x 6 - 1"
    assert "359 = 60 x 6 - 1" in layout_finding(359, PROFILE.window).says


def test_inputs_are_the_recordings_where_the_layout_is_known() -> None:
    rows, are = rows_for(359, MARKET, 10)
    assert (rows.shape, are) == ((10, 359), "recorded")
    assert np.allclose(rows[0][:4], [getattr(MARKET.seconds[0], role) for role in ("open", "high", "low", "close")])
    assert rows_for(119, MARKET, 10)[1] == "drawn"


@pytest.mark.parametrize(
    ("changes", "finding", "severity"),
    [
        ({}, "saved.loads", "informs"),
        ({}, "units.alive", "informs"),
        ({"outputs": [{"least": 0.0, "largest": 0.0, "not_finite": 0}]}, "saved.output_constant", "blocks"),
        ({"outputs": [{"least": None, "largest": None, "not_finite": 9}]}, "saved.output_not_finite", "blocks"),
        ({"activations": [{**ALIVE, "dead": 5, "constant": 5}]}, "units.dead", "warns"),
        ({"activations": [{**ALIVE, "kind": "Tanh", "saturated_share": 0.9}]}, "units.saturated", "warns"),
        ({"loads": False, "error": "E", "loads_without_slots": True}, "saved.does_not_load", "blocks"),
        ({"loads": False, "error": "E", "loads_without_slots": False}, "saved.does_not_load", "blocks"),
    ],
)
def test_what_was_seen_inside_is_judged(changes: dict[str, Any], finding: str, severity: str) -> None:
    found = by_id(list(seen(SEEN | changes, rows=9, rows_are="recorded")))
    assert found[finding].value == severity


def test_a_dead_output_is_named_in_words() -> None:
    dead = SEEN | {"outputs": [{"least": 0.0, "largest": 0.0, "not_finite": 0}]}
    found = next(one for one in seen(dead, rows=9, rows_are="recorded") if one.id == "saved.output_constant")
    assert found.says.startswith("The model answers 0 for every input, 9 recorded ones: a dead ReLU")


def test_drawn_inputs_accuse_no_unit() -> None:
    found = by_id(list(seen(SEEN | {"activations": [{**ALIVE, "dead": 8}]}, rows=9, rows_are="drawn")))
    assert found["units.dead"] is Severity.INFORMS


def test_without_an_interpreter_it_could_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    audit = audit_saved_model(REFERENCE, MARKET, python=None, say=lambda _: None)
    assert "--python" in audit.untold[0]
    assert audit.exit_status == 2
    assert "saved.framework" in {finding.id for finding in audit.findings}


@pytest.mark.parametrize(("python", "says"), [("/nowhere/python", "cannot be run"), ("/bin/false", "have TensorFlow")])
def test_an_interpreter_that_is_none_is_said_so(python: str, says: str) -> None:
    with pytest.raises(NotExamined, match=says):
        examine(REFERENCE, np.zeros((1, 119), np.float32), python=python)


def test_a_description_without_objects_has_no_parameters() -> None:
    model = description_of(saved(b""))
    assert isinstance(model, Description)
    assert (model.trainable, model.slots) == (0, 0)
