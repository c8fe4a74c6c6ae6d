"""Foreign answers: those that show what belongs to another request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract.judge import Violation

if TYPE_CHECKING:
    from harness.experiment.record import Probe, Record

# Windows lie at levels much farther apart than this share, answers much nearer to their own.
_NEAR = 0.02


def foreign(record: Record) -> list[Violation]:
    """P6: name the first answer of each kind that belongs to another request: by its id, its time or its price."""
    ids = {probe.request_id for probe in record.probes if probe.request_id}
    times = {probe.as_of for probe in record.probes if probe.as_of}
    closes = {probe.close for probe in record.probes if probe.close is not None}
    cases = [
        ("request id", [p for p in record.probes if p.got_request_id in ids - {p.request_id}]),
        ("`as_of`", [p for p in record.probes if p.got_as_of in times - {p.as_of}]),
        ("price", [p for p in record.probes if p.outcome == "wrong" and _is_anothers(p, closes)]),
    ]
    return [
        Violation(
            rule="P6",
            expected=f"an answer with the {what} of its own request, {record.phase(found[0].answered_s)}",
            actual=f"{len(found)} with another's, the first: {_shown(found[0])}",
        )
        for what, found in cases
        if found
    ]


def _is_anothers(probe: Probe, closes: set[float]) -> bool:
    if probe.close is None or probe.prediction is None or _is_near(probe.prediction, probe.close):
        return False
    return any(_is_near(probe.prediction, close) for close in closes)


def _is_near(price: float, close: float) -> bool:
    return abs(price - close) <= _NEAR * close


def _shown(probe: Probe) -> str:
    sent = f"sent id {probe.request_id}, as_of {probe.as_of}, close {probe.close}"
    return f"{sent}; got id {probe.got_request_id}, as_of {probe.got_as_of}, prediction {probe.prediction}"
