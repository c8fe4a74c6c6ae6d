"""A pytest plugin: how long a suite waited for what no harness can avoid, `pytest -p tests.bench.waits`.

That is: for containers to start, stop and get ready, for an experiment's steady state, fault and recovery, for the load
to last as long as it shall, and for answers. What several threads wait for at once counts once.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.experiment import experiment, leaks
from harness.load import run
from harness.system import starts
from harness.system.client import Client
from harness.system.container import Sut
from harness.system.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest

    from harness.load.plan import Plan

WAITS_VARIABLE = "BENCH_WAITS"
Interval = tuple[float, float]
# What is a wait as a whole: who does it, and under which name.
_WAITS: tuple[tuple[Any, str], ...] = (
    (Sut, "start"),
    (Sut, "wait_ready"),
    (Sut, "wait_exited"),
    (Client, "send"),
    (Wire, "send"),
    (Wire, "read"),
    (Wire, "listen"),
    (Wire, "read_to_the_end"),
    (experiment, "run"),
    (starts, "start_together"),
    (leaks, "watch"),
)
_waited: list[Interval] = []


def pytest_configure() -> None:
    """Watch the waits: wherever they are called by their names."""
    for owner, name in _WAITS:
        _replace(owner, name, _watched)
    _replace(run, "carry_out", _load_watched)


def _replace(owner: Any, name: str, watching: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:  # noqa: ANN401 - a class or a module
    """Put a watched one in the place of a wait, and in every module that has imported it by name already."""
    plain = getattr(owner, name)
    watched = watching(plain)
    for place in (owner, *sys.modules.values()):
        if getattr(place, name, None) is plain:
            setattr(place, name, watched)


def pytest_unconfigure(config: pytest.Config) -> None:  # noqa: ARG001 - pytest's signature
    """Leave the seconds that were waited."""
    Path(os.environ[WAITS_VARIABLE]).write_text(json.dumps(covered_s(_waited)))


def covered_s(intervals: Iterable[Interval]) -> float:
    """Return how long at least one of the intervals lasted."""
    total_s, until_s = 0.0, float("-inf")
    for began_s, ended_s in sorted(intervals):
        total_s += max(0.0, ended_s - max(began_s, until_s))
        until_s = max(until_s, ended_s)
    return total_s


def _watched(wait: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(wait)
    def watched(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever it waits for
        began_s = time.monotonic()
        try:
            return wait(*args, **kwargs)
        finally:
            _waited.append((began_s, time.monotonic()))

    return watched


def _load_watched(measure: Callable[..., Any]) -> Callable[..., Any]:
    """Count of a measurement what the plan says it lasts, not the generator's start nor the reading of its record."""

    @functools.wraps(measure)
    def watched(plan: Plan, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - likewise
        began_s = time.monotonic()
        _waited.append((began_s, began_s + plan.length_s))
        return measure(plan, *args, **kwargs)

    return watched
