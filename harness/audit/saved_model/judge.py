"""What a SavedModel's description, and what was seen inside it, tell about serving it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.audit.finding import Finding, Number, Severity
from harness.audit.saved_model.description import SERVING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.audit.saved_model.description import Description

# From here on, what is left of a layer is another model than the one that was drawn up.
_MANY_SHARE = 0.5
_EXACT = 1e-9


def described(model: Description, *, periods: int) -> Iterator[Finding]:
    """Find what the file itself tells; `periods` is how many the recording has."""
    yield _signature(model)
    yield _versions(model)
    if model.slots:
        yield _optimizer(model)
    yield _size(model, periods)


def _signature(model: Description) -> Finding:
    named = ", ".join(f"{name}{signature}" for name, signature in sorted(model.signatures.items()))
    has_one = model.serving is not None
    return Finding(
        id="saved.signature" if has_one else "saved.no_serving_signature",
        severity=Severity.INFORMS if has_one else Severity.BLOCKS,
        says=f"Signatures: {named}." if has_one else f"It has no `{SERVING}` signature, but: {named or 'none'}.",
        advice="Nothing to do." if has_one else "Save it with `signatures=` a function of one described input.",
        numbers={"signatures": len(model.signatures)},
    )


def _versions(model: Description) -> Finding:
    by = "Keras" if model.is_keras else "TensorFlow alone"
    version, tags = model.tensorflow or "of an unknown version", ", ".join(model.tags)
    return Finding(
        id="saved.framework",
        severity=Severity.INFORMS,
        says=f"Written by TensorFlow {version}, by {by}, as {tags}.",
        advice="Pin that version in the container, or save the model anew with the one that serves it.",
        numbers={"tensorflow": model.tensorflow, "saved_by": by},
    )


def _optimizer(model: Description) -> Finding:
    return Finding(
        id="saved.optimizer_aboard",
        severity=Severity.WARNS,
        says=f"It carries {model.slots} slots of an optimizer: serving needs none, and where TensorFlow does "
        "not know the optimizer any more, nothing of the model loads.",
        advice="Save it without, where it was trained: `model.save(DIR, include_optimizer=False)`.",
        numbers={"optimizer_slots": model.slots},
    )


def _size(model: Description, periods: int) -> Finding:
    size_bytes, is_too_many = sum(variable.size_bytes for variable in model.variables), model.trainable > periods
    what = f"{model.trainable} trainable parameters in {len(model.variables)} variables, {size_bytes / 1024:.1f} KiB"
    return Finding(
        id="saved.more_parameters_than_data" if is_too_many else "saved.parameters",
        severity=Severity.WARNS if is_too_many else Severity.INFORMS,
        says=f"{what}; the recording has {periods} periods.",
        advice="Train on more, or fit fewer: with more parameters than examples it can learn them by heart."
        if is_too_many
        else "Nothing to do.",
        numbers={"trainable_parameters": model.trainable, "size_bytes": size_bytes, "periods": periods},
    )


def seen(found: Mapping[str, Any], *, rows: int, rows_are: str) -> Iterator[Finding]:
    """Find what loading and running it on so many inputs told; `rows_are` recorded or drawn."""
    yield _loads(found)
    outputs: Sequence[Mapping[str, Any]] = found.get("outputs", ())
    for output in outputs:
        yield from _output(output, rows, rows_are)
    for layer in found.get("activations", ()):
        yield _layer(layer, rows, rows_are)


def _loads(found: Mapping[str, Any]) -> Finding:
    version = str(found["tensorflow"])
    if found["loads"]:
        says, advice = f"It loads in TensorFlow {version}.", "Nothing to do."
    else:
        says = f"It does not load in TensorFlow {version}: {found['error']}"
        advice = (
            "It is the optimizer alone: without its slots it loads. Load it where it was trained and save it with "
            "`include_optimizer=False`, or install `tf_keras` beside TensorFlow."
            if found["loads_without_slots"]
            else "Load it in the version that wrote it and export it anew; until then serve it with that version."
        )
    return Finding(
        id="saved.loads" if found["loads"] else "saved.does_not_load",
        severity=Severity.INFORMS if found["loads"] else Severity.BLOCKS,
        says=says,
        advice=advice,
        numbers={"tensorflow": version, "loads_without_slots": str(found["loads_without_slots"])},
    )


def _output(output: Mapping[str, Any], rows: int, rows_are: str) -> Iterator[Finding]:
    least, largest = output["least"], output["largest"]
    numbers: dict[str, Number] = {"inputs": rows, "inputs_are": rows_are, "least": least, "largest": largest}
    if output["not_finite"]:
        yield Finding(
            id="saved.output_not_finite",
            severity=Severity.BLOCKS if rows_are == "recorded" else Severity.WARNS,
            says=f"{output['not_finite']} outputs for {rows} {rows_are} inputs are no finite numbers.",
            advice="Scale and clip what goes in, and look for divisions and logarithms in the graph.",
            numbers=numbers | {"not_finite": output["not_finite"]},
        )
    if least is not None and largest - least <= _EXACT * max(abs(largest), 1e-3):
        dead = ": a dead ReLU at the output, which no training revives" if least == 0 else ""
        yield Finding(
            id="saved.output_constant",
            severity=Severity.BLOCKS,
            says=f"The model answers {least:g} for every input, {rows} {rows_are} ones{dead}.",
            advice="Do not serve it: it holds no information. Train anew with a linear output and scaled inputs.",
            numbers=numbers,
        )


def _layer(layer: Mapping[str, Any], rows: int, rows_are: str) -> Finding:
    units, dead, constant, saturated = (layer[key] for key in ("units", "dead", "constant", "saturated_share"))
    # Inputs that were drawn show what a unit can do, not what it does in service.
    severity = Severity.WARNS if rows_are == "recorded" else Severity.INFORMS
    numbers: dict[str, Number] = {"units": units, "dead": dead, "constant": constant, "saturated_share": saturated}
    numbers |= {"inputs": rows, "inputs_are": rows_are, "layer": str(layer["name"])}
    says = f"{layer['kind']} {layer['name']}: of {units} units {dead} are dead and {constant} never change, "
    says += f"{saturated:.1%} of the values are saturated ({rows} {rows_are} inputs)."
    # A unit that is always saturated never changes either: what it suffers from comes first.
    if saturated > _MANY_SHARE:
        name, advice = (
            "units.saturated",
            "Scale the inputs: a saturated unit passes on no input and no gradient.",
        )
    elif max(dead, constant) > _MANY_SHARE * units:
        name, advice = "units.dead", "Scale the inputs, lower the learning rate, use a leaky rectifier; train anew."
    else:
        name, advice, severity = "units.alive", "Nothing to do.", Severity.INFORMS
    return Finding(id=name, severity=severity, says=says, advice=advice, numbers=numbers)
