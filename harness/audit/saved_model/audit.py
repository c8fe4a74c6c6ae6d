"""The audit of a SavedModel: what the file tells, then what an interpreter with TensorFlow sees inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.audit.finding import Audit, Finding
from harness.audit.saved_model.description import describe
from harness.audit.saved_model.interpreter import NotExamined, examine
from harness.audit.saved_model.judge import described, seen
from harness.audit.saved_model.layout import layout_finding, rows_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.audit.model.market import Market
    from harness.audit.model.trial import Told
    from harness.audit.saved_model.description import Description

_ROWS = 512


def audit_saved_model(folder: Path, market: Market, *, python: str | None, say: Callable[[str], None]) -> Audit:
    """Look at a SavedModel's folder; raise `NoSavedModel` where it holds none.

    `python` names an interpreter with TensorFlow; without one the reference image's looks.
    """
    told = list(_told(folder, market, python, say))
    return Audit(
        subject="model",
        name=str(folder),
        findings=tuple(one for one in told if isinstance(one, Finding)),
        untold=tuple(one for one in told if isinstance(one, str)),
    )


def _told(folder: Path, market: Market, python: str | None, say: Callable[[str], None]) -> Iterator[Told]:
    model = describe(folder)
    yield from described(model, periods=len(market.seconds))
    width = _width(model)
    if width is None:
        yield "the layout, and what its units do: the signature does not have one input of a fixed number of values"
    else:
        yield layout_finding(width, market.profile.window)
    rows, rows_are = rows_for(width or 1, market, _ROWS)
    say("looking inside with TensorFlow")
    try:
        found = examine(folder, rows, python=python)
    except NotExamined as error:
        yield str(error)
        return
    yield from seen(found, rows=len(rows), rows_are=rows_are)
    if "unrun" in found and width is not None:
        yield f"what its units do: {found['unrun']}"


def _width(model: Description) -> int | None:
    if model.serving is None or len(model.serving.inputs) != 1:
        return None
    return model.serving.inputs[0].width
