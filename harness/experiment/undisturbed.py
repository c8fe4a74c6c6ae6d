"""What others see while a fault lasts: nothing of a bad client, and honest refusals where too much comes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract.judge import OK, UNAVAILABLE, Violation
from harness.experiment.record import tally
from harness.experiment.steadiness import is_well

if TYPE_CHECKING:
    from harness.experiment.record import Probe, Record

# The machine may hold up so many of the probes by itself.
_HICCUPS_SHARE = 0.05
# Beyond the budget an answer may be on its way for so long: the budget runs from the arrival of the request.
_ON_ITS_WAY_S = 1.0


def disturbed(record: Record) -> list[Violation]:
    """C14, or the fault's own rule: while it lasts, clients that do nothing wrong are served as ever."""
    meanwhile, bad = _meanwhile(record), _unserved(record)
    if not bad:
        return []
    slowest_s = max(probe.answered_s - probe.sent_s for probe in bad)
    actual = f"{len(bad)} of {len(meanwhile)} were not: {tally(bad)}, the slowest after {slowest_s:.1f} s"
    within = "" if _may_be_late(record) else f" within {record.measure.budget_s:g} s"
    wanted = f"others served{within} during {record.name!r}"
    return [Violation(rule=record.expects.notice_rule, expected=wanted, actual=actual)]


def shed_badly(record: Record) -> list[Violation]:
    """C13: more than can be served is answered in time, or with 503 and `Retry-After` in whole seconds."""
    if not record.expects.may_shed:
        return []
    meanwhile = [probe for probe in _meanwhile(record) if probe.asked != "ping"]
    bad = [probe for probe in meanwhile if not _is_honest(probe, record.measure.budget_s + _ON_ITS_WAY_S)]
    if len(bad) <= _HICCUPS_SHARE * len(meanwhile):
        return []
    first = bad[0]
    what = f"{first.status or first.outcome} after {first.answered_s - first.sent_s:.1f} s"
    actual = (
        f"{len(bad)} of {len(meanwhile)} otherwise: {tally(bad)}; the first {what}, Retry-After {first.retry_after!r}"
    )
    wanted = "an answer in time, or 503 with `Retry-After` in whole seconds"
    return [Violation(rule="C13", expected=wanted, actual=actual)]


def far_unserved(record: Record) -> list[Violation]:
    """C13: who asks over a network that loses nothing is answered in time, the network's share taken off."""
    within_s, far, bad = record.expects.far_within_s, _far(record), _far_unserved(record)
    if within_s is None or not bad:
        return []
    first = bad[0]
    what = f"{first.status or first.detail or first.outcome} after {first.answered_s - first.sent_s:.1f} s"
    wanted = f"an answer within {within_s:.1f} s to who asks over {record.name!r}, of which nothing is lost"
    return [
        Violation(
            rule="C13", expected=wanted, actual=f"{len(bad)} of {len(far)} had none: {tally(bad)}; the first {what}"
        )
    ]


def is_late_alone(record: Record) -> bool:
    """Whether all that these rules count against the container are right answers that came late."""
    return all(probe.outcome == "right" for probe in (*_unserved(record), *_far_unserved(record)))


def _unserved(record: Record) -> list[Probe]:
    """Return the probes that a fault disturbed, and should not have; none where so few may be the machine's doing."""
    if not record.expects.undisturbed or _was_not_brief(record):
        return []
    meanwhile = _meanwhile(record)
    return _too_many([probe for probe in meanwhile if not _is_served(probe, record)], of=meanwhile)


def _far_unserved(record: Record) -> list[Probe]:
    within_s, far = record.expects.far_within_s, _far(record)
    if within_s is None:
        return []
    late = [probe for probe in far if probe.outcome != "right" or probe.answered_s - probe.sent_s > within_s]
    return _too_many(late, of=far)


def _far(record: Record) -> list[Probe]:
    return [probe for probe in record.probes if probe.asked == "far" and probe.outcome != "wrong"]


def _too_many(bad: list[Probe], *, of: list[Probe]) -> list[Probe]:
    return bad if len(bad) > _HICCUPS_SHARE * len(of) else []


def _is_served(probe: Probe, record: Record) -> bool:
    return probe.outcome == "right" if _may_be_late(record) else is_well(probe, record.measure)


def _may_be_late(record: Record) -> bool:
    """Whether the rule speaks of refusals alone."""
    return record.expects.notice_rule == "R1"


def _was_not_brief(record: Record) -> bool:
    """Whether a fault that was meant to be brief lasted long enough for anybody to notice."""
    struck_s, reverted_s, brief_s = record.at("struck"), record.at("reverted"), record.expects.brief_s
    return None not in (struck_s, reverted_s, brief_s) and (reverted_s or 0.0) - (struck_s or 0.0) > (brief_s or 0.0)


def _meanwhile(record: Record) -> list[Probe]:
    struck_s, until_s = record.at("struck"), record.at("ended" if record.expects.seamless else "revert")
    if struck_s is None or until_s is None:
        return []
    asked = ("good", "same", "ping")
    return [probe for probe in record.probes if probe.asked in asked and struck_s <= probe.sent_s < until_s]


def _is_honest(probe: Probe, within_s: float) -> bool:
    """Whether it was answered in time or told when to come again, which is right for whatever comes later."""
    if probe.status == UNAVAILABLE:
        return probe.retry_after.isascii() and probe.retry_after.isdigit()
    return probe.status == OK and probe.answered_s - probe.sent_s <= within_s
