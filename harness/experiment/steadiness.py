"""Steady state: the moment from which every probe is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.experiment.record import Measure, Probe

# Of the probes that a stretch should hold, so many must be there: fewer prove nothing.
_ENOUGH = 0.5


def is_well(probe: Probe, measure: Measure) -> bool:
    """Whether a probe was answered rightly and within the budget."""
    return probe.outcome == "right" and probe.answered_s - probe.sent_s <= measure.budget_s


def well_from(probes: Sequence[Probe], measure: Measure, *, since_s: float) -> float | None:
    """Return when the first stretch of `steady_s` without a bad probe began, counted from its first answer.

    Only what was sent after `since_s` counts; a stretch holds enough windows and at least a ping. None: there is none.
    """
    needed = measure.rate_per_s * measure.steady_s * _ENOUGH
    stretch: list[Probe] = []
    for probe in sorted(_counted(probes, since_s), key=lambda p: p.sent_s):
        if not is_well(probe, measure):
            stretch = []
            continue
        stretch.append(probe)
        windows = [found for found in stretch if found.asked != "ping"]
        long_enough = probe.sent_s - stretch[0].sent_s >= measure.steady_s
        if long_enough and len(windows) >= needed and len(windows) < len(stretch):
            return stretch[0].answered_s
    return None


def _counted(probes: Sequence[Probe], since_s: float) -> list[Probe]:
    return [probe for probe in probes if probe.asked in ("good", "same", "ping") and probe.sent_s >= since_s]
