"""Runs where TensorFlow is: `python inside.py DIR ROWS.npy` says as JSON whether a SavedModel loads and is alive.

ROWS.npy holds inputs, [n, width]; they are shaped as the serving signature's one input wants them. Nothing of the
harness is imported: the interpreter may be another one, in a container.
"""

import importlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}

SERVING = "serving_default"
# Where each saturates: below the first bound or above the second its slope is next to nothing.
BOUNDED = {"Tanh": (-0.99, 0.99), "Sigmoid": (0.01, 0.99)}
RECTIFIERS = ("Relu", "Relu6")
OTHERS = ("Elu", "Selu", "Softplus")
ALIKE = 1e-9


def examine(folder: str, rows: Any) -> dict[str, Any]:  # noqa: ANN401 - NumPy may not be typed there
    """Load the model, run it on the rows, and look at what its units do."""
    tf = importlib.import_module("tensorflow")
    found: dict[str, Any] = {"tensorflow": tf.__version__, "loads": True, "loads_without_slots": None, "error": ""}
    try:
        model = tf.saved_model.load(folder)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        found |= {"loads": False, "error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        model = without_slots(tf, folder)
        found["loads_without_slots"] = model is not None
    if model is not None and SERVING in model.signatures:
        try:
            found |= run(tf, model.signatures[SERVING], rows)
        except Exception as error:  # noqa: BLE001 - likewise
            found["unrun"] = f"it does not run on such inputs: {type(error).__name__}: {error}".splitlines()[0][:300]
    return found


def without_slots(tf: Any, folder: str) -> Any:  # noqa: ANN401 - TensorFlow has no types
    """Load a copy from which the optimizer's slots were taken; None where that does not load either."""
    saved = importlib.import_module("tensorflow.core.protobuf.saved_model_pb2").SavedModel()
    saved.ParseFromString(Path(folder, "saved_model.pb").read_bytes())
    for graph in saved.meta_graphs:
        for node in graph.object_graph_def.nodes:
            del node.slot_variables[:]
    with tempfile.TemporaryDirectory() as copy:
        # The fingerprint is that of the whole file, and would not fit.
        shutil.copytree(folder, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("fingerprint.pb"))
        Path(copy, "saved_model.pb").write_bytes(saved.SerializeToString())
        try:
            return tf.saved_model.load(copy)
        except Exception:  # noqa: BLE001 - it does not load, whatever the reason
            return None


def run(tf: Any, function: Any, rows: Any) -> dict[str, Any]:  # noqa: ANN401 - likewise
    """Freeze the signature into one flat graph, and look at each activation in it."""
    freeze = importlib.import_module("tensorflow.python.framework.convert_to_constants")
    frozen = freeze.convert_variables_to_constants_v2(function)
    if len(frozen.inputs) != 1:
        return {"unrun": f"the signature has {len(frozen.inputs)} inputs"}
    kinds = (*BOUNDED, *RECTIFIERS, *OTHERS)
    units = [operation for operation in frozen.graph.get_operations() if operation.type in kinds]
    wanted = [operation.outputs[0].name for operation in units] + [output.name for output in frozen.outputs]
    definition = frozen.graph.as_graph_def()
    flat = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(definition, name=""), [])
    lengths = [length or 1 for length in frozen.inputs[0].shape.as_list()[1:]]
    given = tf.constant(rows.reshape([len(rows), *lengths]), frozen.inputs[0].dtype)
    values = [value.numpy() for value in flat.prune([frozen.inputs[0].name], wanted)(given)]
    activations = [activation(*pair) for pair in zip(units, values[: len(units)], strict=True)]
    return {"activations": activations, "outputs": [output(value) for value in values[len(units) :]]}


def activation(operation: Any, values: Any) -> dict[str, Any]:  # noqa: ANN401 - likewise
    """Say of one layer how many units never change, and how often they are saturated."""
    flat = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values.reshape(-1, 1)
    is_constant = flat.max(axis=0) - flat.min(axis=0) <= ALIKE
    low, high = BOUNDED.get(operation.type, (float("-inf"), float("inf")))
    return {
        "name": operation.name,
        "kind": operation.type,
        "units": int(flat.shape[1]),
        "dead": int((is_constant & (flat.max(axis=0) <= 0)).sum()) if operation.type in RECTIFIERS else 0,
        "constant": int(is_constant.sum()),
        "saturated_share": float(((flat < low) | (flat > high)).mean()),
    }


def output(values: Any) -> dict[str, Any]:  # noqa: ANN401 - likewise
    """Say how far an output moves."""
    numpy = importlib.import_module("numpy")
    numbers = values[numpy.isfinite(values)]
    least, most = (float(numbers.min()), float(numbers.max())) if numbers.size else (None, None)
    return {"least": least, "largest": most, "not_finite": int(values.size - numbers.size)}


def main() -> None:
    """Print what was found, as the last line of the standard output."""
    rows = importlib.import_module("numpy").load(sys.argv[2])
    print(json.dumps(examine(sys.argv[1], rows)))  # noqa: T201 - this is how it answers


if __name__ == "__main__":
    main()
