"""An interpreter that has TensorFlow: the reference image's, in a container without a network, or one that is named."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.system import NotSetUp
from harness.system.command import last_lines, run
from harness.system.daemon import EngineMissing
from harness.system.engine import reach
from harness.system.one_shot import OneShotFailed, run_once
from harness.system.reference_image import find_any_reference_image, find_reference_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.system.engine import Engine

_SCRIPT = Path(__file__).with_name("inside.py")
_BUDGET_S = 120


class NotExamined(NotSetUp):
    """No interpreter with TensorFlow could look at the model; the message says why and what to do."""


def examine(folder: Path, rows: NDArray[np.float32], *, python: str | None) -> dict[str, Any]:
    """Have a SavedModel loaded and run on inputs, [n, width], and return what `inside.py` found."""
    with tempfile.TemporaryDirectory() as exchange:
        place = Path(exchange)
        place.chmod(0o755)
        np.save(place / "rows.npy", rows)
        said = _by(python, folder, place) if python else _in_image(folder, place)
    try:
        # TensorFlow may have its own say before and after.
        found: dict[str, Any] = json.loads(next(line for line in reversed(said.splitlines()) if line.startswith("{")))
    except (ValueError, StopIteration) as error:
        msg = f"what looked at the model said nothing that could be read: {last_lines(said)!r}"
        raise NotExamined(msg) from error
    return found


def _by(python: str, folder: Path, exchange: Path) -> str:
    try:
        result = run([python, str(_SCRIPT), str(folder), str(exchange / "rows.npy")], budget_s=_BUDGET_S)
    except OSError as error:
        msg = f"--python {python} cannot be run ({error.strerror}): name an interpreter that has TensorFlow"
        raise NotExamined(msg) from error
    if result.returncode != 0:
        msg = f"{python} could not look at the model, does it have TensorFlow? {last_lines(result.stdout)}"
        raise NotExamined(msg)
    return result.stdout


def _in_image(folder: Path, exchange: Path) -> str:
    try:
        engine = reach()
    except EngineMissing as error:
        msg = f"whether it loads, and what its units do: neither a Docker engine nor --python ({error})"
        raise NotExamined(msg) from error
    mounts = {"/model": folder, "/exchange": exchange, "/audit": _SCRIPT.parent}
    arguments = ["/audit/inside.py", "/model", "/exchange/rows.npy"]
    try:
        return run_once(engine, _image(engine), arguments, program="python", mounts=mounts)
    except OneShotFailed as error:
        msg = f"whether it loads, and what its units do: the reference image could not look ({error})"
        raise NotExamined(msg) from error


def _image(engine: Engine) -> str:
    """Name the reference image, of whatever content: any of them has TensorFlow."""
    name = find_reference_image(engine) or find_any_reference_image(engine)
    if name is None:
        msg = (
            "whether it loads, and what its units do: there is no interpreter with TensorFlow; "
            "`harness setup` makes the reference image, `--python FILE` names another"
        )
        raise NotExamined(msg)
    return name
