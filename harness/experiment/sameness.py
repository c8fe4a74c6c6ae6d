"""Sameness: the same bytes get the same prediction, before a fault, meanwhile and after it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.contract.judge import Violation

if TYPE_CHECKING:
    from harness.experiment.record import Probe, Record


def unequal(record: Record) -> list[Violation]:
    """P2: name the first window that got two predictions, and how many windows did."""
    by_window: dict[str, list[Probe]] = {}
    for probe in sorted(record.probes, key=lambda p: p.answered_s):
        if probe.window and probe.prediction is not None:
            by_window.setdefault(probe.window, []).append(probe)
    found = [pair for probes in by_window.values() if (pair := _first_unequal(probes, record))]
    if not found:
        return []
    first, other = found[0]
    when = f"{record.phase(first.answered_s)}, and {record.phase(other.answered_s)}"
    actual = f"{other.prediction}; {len(found)} of {len(by_window)} windows got several predictions"
    return [Violation(rule="P2", expected=f"the same prediction {when}: {first.prediction}", actual=actual)]


def kept_window_doubt(record: Record) -> str | None:
    """Say why the answers before and after the fault could not be compared; None where they could."""
    struck_s, reverted_s = record.at("struck"), record.at("reverted")
    if struck_s is None or reverted_s is None:
        return "P2 was not judged across the fault: the experiment did not come so far"
    kept = [probe for probe in record.probes if probe.asked == "same" and probe.prediction is not None]
    before = {probe.window for probe in kept if probe.answered_s < struck_s}
    after = {probe.window for probe in kept if probe.sent_s > reverted_s}
    if before & after:
        return None
    return "P2 was not judged across the fault: the window grew too old before an answer came"


def _first_unequal(probes: list[Probe], record: Record) -> tuple[Probe, Probe] | None:
    first = probes[0]
    for other in probes[1:]:
        values = first.prediction or 0.0, other.prediction or 0.0
        if not math.isclose(*values, rel_tol=record.measure.same_tolerance):
            return first, other
    return None
