"""A path into an answer: `predictions[0].value` names the value of the first prediction, `$` the whole answer."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

Step: TypeAlias = str | int
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
# The root, as RFC 9535 writes it; `$price` is a name like any other.
_ROOT = re.compile(r"\$(?=[.\[]|$)")


class PathInvalid(ValueError):  # noqa: N818 - named by what happened
    """A text is no path; the message says where it stops being one."""


@lru_cache(maxsize=64)
def steps_of(path: str) -> tuple[Step, ...]:
    """Read a path: names joined by dots, places in brackets, `$` before them or not; else raise `PathInvalid`."""
    steps: list[Step] = []
    root = _ROOT.match(path)
    at = root.end() if root is not None else 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or (at == 0 and match[0].startswith(".")):
            msg = f"{path!r} is not understood from {path[at:]!r} on; write it as `predictions[0].value`"
            raise PathInvalid(msg)
        steps.append(match[1] if match[2] is None else int(match[2]))
        at = match.end()
    return tuple(steps)


def at_path(found: object, path: str) -> object:
    """Return what stands at a path in a JSON value; None where nothing does."""
    for step in steps_of(path):
        if isinstance(step, int) and isinstance(found, list) and step < len(found):
            found = found[step]
        elif isinstance(step, str) and isinstance(found, dict):
            found = found.get(step)
        else:
            return None
    return found
