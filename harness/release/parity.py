"""Whether both answer, and refuse, alike: by status, for each kind of window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.contract.verdict import Verdict
from harness.release.finding import Finding, Number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.release.comparison import Comparison
    from harness.release.sample import Sample

_SHOWN = 3
_TWICE = 2
_SERVER_ERROR = 500


def judge_parity(comparison: Comparison) -> Finding:
    """FAILED where one kind of window is answered otherwise most of the times that it was sent, and at least twice."""
    found, at_home = _ways(comparison.match), set(_ways(comparison.floor)[0])
    differing = [way for way in found[0] if way not in at_home]
    sometimes = [way for way in found[1] if way not in differing]
    seen, planned = found[2], comparison.header.broken
    numbers: dict[str, Number] = {"broken_kinds": seen, "differing": len(differing), "sometimes": len(sometimes)}
    if differing:
        says = f"{len(differing)} kinds of windows are answered otherwise: {_shown(comparison.match, differing)}"
        return Finding(subject="parity", verdict=Verdict.FAILED, says=says, numbers=numbers)
    if sometimes:
        says = f"now and then answered otherwise: {_shown(comparison.match, sometimes)}"
        return Finding(subject="parity", verdict=Verdict.UNKNOWN, says=says, numbers=numbers)
    if seen < planned or not seen:
        says = f"{seen} of {planned} kinds of broken windows were sent"
        return Finding(subject="parity", verdict=Verdict.UNKNOWN, says=says, numbers=numbers)
    says = f"the same status to {seen} kinds of broken windows and to every good one"
    return Finding(subject="parity", verdict=Verdict.PASSED, says=says, numbers=numbers)


def _ways(sample: Sample) -> tuple[list[str], list[str], int]:
    """Return the ways that differ mostly, those that differ otherwise than by an error, and how many broken ones."""
    names, which = np.unique(sample.ways, return_inverse=True)
    ours, theirs = sample.challenger.statuses, sample.champion.statuses
    differs, sent = np.bincount(which, weights=ours != theirs), np.bincount(which)
    # An error is the affair of its own judge, unless this kind of window always meets it.
    is_error = (np.minimum(ours, theirs) == 0) | (np.maximum(ours, theirs) >= _SERVER_ERROR)
    elsewise = np.bincount(which, weights=(ours != theirs) & ~is_error)
    is_mostly = (np.maximum(elsewise, (differs == sent) * sent) >= _TWICE) & (differs > sent / 2)
    broken = np.bincount(which, weights=~sample.is_good)
    mostly = [str(name) for name in names[is_mostly]]
    sometimes = [str(name) for name in names[(elsewise > 0) & ~is_mostly]]
    return mostly, sometimes, int((broken > 0).sum())


def _shown(sample: Sample, ways: Sequence[str]) -> str:
    told = []
    for way in ways[:_SHOWN]:
        at = int(np.flatnonzero((sample.ways == way) & (sample.champion.statuses != sample.challenger.statuses))[0])
        before, after = sample.champion.statuses[at], sample.challenger.statuses[at]
        told.append(f"{way} ({before or 'no answer'}, the challenger {after or 'no answer'})")
    more = len(ways) - _SHOWN
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")
