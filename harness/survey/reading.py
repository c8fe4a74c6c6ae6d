"""Where in answers what stands: two windows at levels far apart tell the prediction from any other number. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from harness.contract.answer_path import at_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.contract.records import Window
    from harness.contract.window_rule import WindowRule

# A prediction may be a bad one: this far from the last close it still is one.
_NEAR_SHARE = 0.2
_LONGEST_LIST = 8
_NOT_IN_PATHS = set(".[]")
_ROOT = "$"
_NAMES = ("prediction", "predictions", "forecast", "predicted", "price")


class Grip(IntEnum):
    """How sure a number is the prediction: it follows the window's level, changes with the window, or is just there."""

    FOLLOWS = 0
    CHANGES = 1
    IS_THERE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A window that was sent, and what the answer said as JSON."""

    window: Window
    found: object


def prediction_in(samples: Sequence[Sample], rule: WindowRule) -> tuple[str, Grip] | None:
    """Return the path of the prediction, and how sure it is; None where no answer holds a number."""
    first = samples[0].found
    paths = [path for path, value in values(first) if _is_number(value)]
    shared = [path for path in paths if all(_is_number(at_path(sample.found, path)) for sample in samples)]
    ranked = sorted(shared, key=lambda path: (_grip(path, samples, rule), not _is_named(path)))
    return (ranked[0], _grip(ranked[0], samples, rule)) if ranked else None


def as_of_in(samples: Sequence[Sample], rule: WindowRule) -> str:
    """Return the path of the newest record's end; empty where none is."""
    end = rule.named("end")
    return _shared(samples, lambda _, value, sample: value == sample.window.newest(end))


def horizon_in(samples: Sequence[Sample]) -> str:
    """Return the path of a number that says how far ahead is predicted."""
    return _shared(samples, lambda path, value, _: "horizon" in path.lower() and _is_number(value))


def model_in(samples: Sequence[Sample]) -> str:
    """Return the path of an object with `name` and `version`."""
    return _shared(
        samples,
        lambda _, value, __: (
            isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("name", "version"))
        ),
    )


def anomalies_in(samples: Sequence[Sample], jumped: object) -> str:
    """Return the path of the list of anomalies: empty for quiet windows, and filled after a jump; or called that."""

    def is_it(path: str, value: object, _: Sample) -> bool:
        if not isinstance(value, list):
            return False
        after = at_path(jumped, path)
        is_filled = isinstance(after, list) and bool(after) and all(isinstance(one, dict) for one in after)
        return "anomal" in path.lower() or (not value and is_filled)

    return _shared(samples, is_it)


def values(found: object, path: str = _ROOT) -> Iterator[tuple[str, object]]:
    """Yield every value of an answer with its path: what no path can name is left out."""
    yield path, found
    if isinstance(found, dict):
        for name, value in found.items():
            if name and not _NOT_IN_PATHS & set(name):
                # A name at the top is a path as it is, but for the root's own.
                yield from values(value, name if path == _ROOT != name else f"{path}.{name}")
    if isinstance(found, list):
        for place, value in enumerate(found[:_LONGEST_LIST]):
            yield from values(value, f"{path}[{place}]")


def _shared(samples: Sequence[Sample], is_it: Callable[[str, object, Sample], bool]) -> str:
    """Return the first path at which every answer has it."""
    for path, _ in values(samples[0].found):
        if all(is_it(path, at_path(sample.found, path), sample) for sample in samples):
            return path
    return ""


def _grip(path: str, samples: Sequence[Sample], rule: WindowRule) -> Grip:
    predicted = [float(str(at_path(sample.found, path))) for sample in samples]
    closes = [float(str(sample.window.newest(rule.target))) for sample in samples]
    if all(math.isclose(value, close, rel_tol=_NEAR_SHARE) for value, close in zip(predicted, closes, strict=True)):
        return Grip.FOLLOWS
    return Grip.CHANGES if len(set(predicted)) > 1 else Grip.IS_THERE


def _is_named(path: str) -> bool:
    return any(name in path.lower() for name in _NAMES)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
