"""Draining: what was in flight when the container was told to stop is answered, what comes anew is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract.judge import OK, Violation

if TYPE_CHECKING:
    from harness.experiment.record import Probe, Record

# What is still to come of a request in flight has to come so soon after the signal.
_REST_WITHIN_S = 5.0


def undrained(record: Record) -> list[Violation]:
    """C12: what was in flight is answered, what comes anew is not."""
    struck_s, revert_s = record.at("struck"), record.at("revert")
    if not record.expects.drains or struck_s is None or revert_s is None:
        return []
    broken = [
        Violation(
            rule="C12", expected="200 to a request that was in flight at the signal", actual=_lost(probe, struck_s)
        )
        for probe in record.probes
        if _was_in_flight(probe, record, struck_s) and probe.outcome in ("failed", "timed out", "refused")
    ]
    refuses_s = struck_s + record.expects.refuses_after_s
    late = [
        probe
        for probe in record.probes
        if probe.asked != "in_flight" and probe.status == OK and refuses_s < probe.sent_s < revert_s
    ]
    if late:
        wanted = f"new connections refused {record.expects.refuses_after_s:g} s after the signal"
        actual = f"{len(late)} of them answered with 200, the last {late[-1].sent_s - struck_s:.1f} s after it"
        broken.append(Violation(rule="C12", expected=wanted, actual=actual))
    return broken


def _was_in_flight(probe: Probe, record: Record, struck_s: float) -> bool:
    if probe.asked == "in_flight":
        return probe.sent_s - struck_s <= _REST_WITHIN_S
    # Of an ordinary request only this is sure: it was accepted when it left that long before the signal.
    is_sure = probe.sent_s < struck_s - record.measure.accept_s and probe.answered_s > struck_s
    return is_sure and probe.asked in ("good", "same")


def _lost(probe: Probe, struck_s: float) -> str:
    what = probe.status or probe.detail or probe.outcome
    return f"{what}; {probe.request_id}, the rest sent {probe.sent_s - struck_s:.2f} s after the signal"
