"""`harness chaos memory`: the least memory that holds the load, with every step that led there."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.contract.levels import series_in
from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.contract.tables import ProfileInvalid
from harness.experiment.least_memory import Found, Step, search, try_memory
from harness.experiment.prober import ProberBroken
from harness.system import NotSetUp
from harness.system.container import CannotStart
from harness.system.guard import begin_run
from harness.system.image import ensure_named

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from harness.contract.profile import Profile

_UNKNOWN, _WRONG_USAGE = 2, 4
_SERIES_SECONDS = 600


def run_memory(chosen: argparse.Namespace, say: Callable[[str], None] = print) -> int:
    """Search, and return 0 where a size holds the load, 2 where none does or it cannot be told."""
    try:
        profile = load_profile(chosen.sut_profile or DEFAULT_PROFILE)
    except ProfileInvalid as error:
        say(f"harness: {error}")
        return _WRONG_USAGE
    high_mb = chosen.high or profile.chaos.memory_mb
    if not chosen.low < high_mb:
        say(f"harness: --low {chosen.low} must be less than --high {high_mb}")
        return _WRONG_USAGE
    aloud = _quiet if chosen.format == "json" else say
    try:
        image, found = _searched(chosen, profile, high_mb, aloud)
    except (NotSetUp, CannotStart, ProberBroken) as error:
        say(f"UNKNOWN: {error}")
        return _UNKNOWN
    content = {"schema": 1, "image": image, "rate_per_s": profile.load.rate_per_s, **asdict(found)}
    say(json.dumps(content, indent=2) if chosen.format == "json" else f"{image}: {found}")
    return _UNKNOWN if found.least_mb is None else 0


def _searched(
    chosen: argparse.Namespace, profile: Profile, high_mb: int, say: Callable[[str], None]
) -> tuple[str, Found]:
    image = ensure_named(chosen.sut_image, say=say)
    series, run = series_in(profile, seed=1, seconds=_SERIES_SECONDS), begin_run()

    def step(memory_mb: int) -> Step:
        tried = try_memory(image, profile, series, run, memory_mb)
        say(f"  {tried}")
        return tried

    try:
        return image, search(step, low_mb=chosen.low, high_mb=high_mb)
    finally:
        run.end()


def _quiet(line: str) -> None:
    """Say nothing: standard output is for JSON alone."""
