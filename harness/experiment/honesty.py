"""Ping honesty: a ping is 200 while, and only while, invocations are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract.judge import UNAVAILABLE, Violation
from harness.experiment.steadiness import is_well

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.experiment.record import Probe, Record

# So long may ping and invocations disagree: a ping speaks of one moment.
_GRACE_S = 2.0
_CLIENT_ERRORS = range(400, 500)


def ping_lies(record: Record) -> list[Violation]:
    """C3: name the longest stretch in which pings were 200 and invocations failed, and the longest of the reverse."""
    pings, invocations = record.pings(), record.invocations()
    fails = list(_stretches(invocations, lambda probe: _is_failing(probe, record), certain_from=_sent))
    serves = list(_stretches(invocations, lambda probe: is_well(probe, record.measure), certain_from=_answered))
    says_well = list(_stretches(pings, _says_well, certain_from=_answered))
    says_ill = list(_stretches(pings, lambda probe: not _says_well(probe), certain_from=_sent))
    return [
        *_told(record, _longest_overlap(fails, says_well), "ping not 200", "pings were 200 and invocations failed"),
        *_told(record, _longest_overlap(serves, says_ill), "ping 200", "pings were not 200 and invocations served"),
    ]


Stretch = tuple[float, float]


def _told(record: Record, overlap: Stretch, wanted: str, found: str) -> list[Violation]:
    start_s, end_s = overlap
    if end_s - start_s <= _GRACE_S:
        return []
    actual = f"for {end_s - start_s:.1f} s, {start_s:.1f} s to {end_s:.1f} s ({record.phase(start_s)}), {found}"
    return [Violation(rule="C3", expected=f"{wanted} within {_GRACE_S:g} s", actual=actual)]


def _says_well(ping: Probe) -> bool:
    return ping.outcome == "right"


def _is_failing(probe: Probe, record: Record) -> bool:
    """Whether a valid window got no service; one refused for its age, or answered late, says nothing.

    Nor does a 503 of a container that has more to do than it can: overload is no reason for a 503 from ping.
    """
    is_loaded = record.expects.may_shed or record.expects.may_lag
    if is_loaded and probe.status == UNAVAILABLE and record.phase(probe.sent_s) == "while the fault lasted":
        return False
    return probe.outcome in ("failed", "timed out", "refused") and probe.status not in _CLIENT_ERRORS


def _sent(probe: Probe) -> float:
    return probe.sent_s


def _answered(probe: Probe) -> float:
    return probe.answered_s


def _stretches(
    probes: Sequence[Probe], has: Callable[[Probe], bool], *, certain_from: Callable[[Probe], float]
) -> Iterator[Stretch]:
    """Yield from when until when probes in a row certainly had a property; the last counts from its sending."""
    row: list[Probe] = []
    for probe in probes:
        if has(probe):
            row.append(probe)
        elif row:
            yield certain_from(row[0]), row[-1].sent_s
            row = []
    if row:
        yield certain_from(row[0]), row[-1].sent_s


def _longest_overlap(some: Sequence[Stretch], others: Sequence[Stretch]) -> Stretch:
    overlaps = [(max(a[0], b[0]), min(a[1], b[1])) for a in some for b in others]
    return max(overlaps, key=lambda stretch: stretch[1] - stretch[0], default=(0.0, 0.0))
