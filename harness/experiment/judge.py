"""Judge an experiment from its record alone: which rules the container broke, and whether that is enough to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.judge import Violation, demand
from harness.contract.verdict import Verdict
from harness.experiment.drain import undrained
from harness.experiment.exits import exits
from harness.experiment.fate import fate_of, fate_told
from harness.experiment.foreign import foreign
from harness.experiment.honesty import ping_lies
from harness.experiment.record import tally
from harness.experiment.recovery import not_well_after, not_well_again, recovered_s_of
from harness.experiment.sameness import kept_window_doubt, unequal
from harness.experiment.undisturbed import disturbed, far_unserved, is_late_alone, shed_badly

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.experiment.fate import Fate
    from harness.experiment.record import Probe, Record

# A 200 that breaks one of these is a wrong answer; so is a good window that is refused.
ANSWER_RULES = ("R1", "P0", "P1", "P3", "P5", "C9", "D4", "D5", "D9")
# The harness fell behind where this share of its probes left so many seconds late.
_LATE_SHARE, _LATE_S = 0.05, 0.5
# Of the probes that were due while the fault lasted, so many must have been sent.
_ENOUGH = 0.5


class Undecided(Exception):  # noqa: N818 - named by what happened
    """The record does not suffice to judge by: ours, or the machine's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a record says: broken rules, reasons why it cannot be told, remarks.

    `recovered_after_s` is counted from the revert; `not_compared` says why the answers before and after the fault could
    not be compared, where they could not; `fate` is what became of a container that the fault may end. `is_late_alone`:
    nothing but lateness stands against the container, or the record, and another experiment may have caused that.
    """

    violations: tuple[Violation, ...]
    doubts: tuple[str, ...]
    remarks: tuple[str, ...]
    recovered_after_s: float | None
    not_compared: str | None = None
    fate: Fate | None = None
    is_late_alone: bool = False

    @property
    def verdict(self) -> Verdict:
        """FAILED beats UNKNOWN beats PASSED."""
        if self.violations:
            return Verdict.FAILED
        return Verdict.UNKNOWN if self.doubts else Verdict.PASSED

    def demand(self, *rules: str) -> None:
        """Raise `Violated` where one of the rules is broken, `Undecided` where that cannot be told."""
        demand([violation for violation in self.violations if violation.rule in rules])
        if self.doubts:
            raise Undecided("; ".join((*self.doubts, *self.remarks)))


def judge(record: Record) -> Judgement:
    """Judge a record; pure, so that a record on disk can be judged again."""
    recovered_s = recovered_s_of(record)
    violations = tuple(violation for check in _CHECKS for violation in check(record))
    of_lateness = (*disturbed(record), *far_unserved(record))
    fell_behind, doubts = _fell_behind(record), _doubts(record)
    reverted_s = record.at("reverted")
    return Judgement(
        violations=violations,
        doubts=(*fell_behind, *doubts),
        is_late_alone=(
            bool(violations or fell_behind) and not doubts and violations == of_lateness and is_late_alone(record)
        ),
        remarks=tuple(_remarks(record)),
        not_compared=kept_window_doubt(record),
        fate=fate_of(record),
        recovered_after_s=None if recovered_s is None or reverted_s is None else recovered_s - reverted_s,
    )


def _wrong(record: Record) -> list[Violation]:
    """No wrong answer, ever: one violation a rule, with how often and when first."""
    found: dict[str, list[tuple[Probe, Violation]]] = {}
    for probe in sorted(record.probes, key=lambda p: p.answered_s):
        for broken in probe.broken:
            found.setdefault(broken.rule, []).append((probe, broken))
    return [
        Violation(
            rule=rule,
            expected=f"{cases[0][1].expected}, {record.phase(cases[0][0].answered_s)}",
            actual=f"{cases[0][1].actual} ({len(cases)} such answers)",
        )
        for rule, cases in found.items()
    ]


def _never_ready(record: Record) -> list[Violation]:
    """C4: a ping must be 200 within the time to become ready."""
    ended_s = record.at("ended")
    if record.at("steady") is not None or ended_s is None or (record.looks and not record.looks[-1].is_up):
        return []
    waited_s = ended_s - record.up_since_s
    if waited_s < record.measure.ready_s or any(probe.outcome == "right" for probe in record.pings()):
        return []
    wanted = f"200 to a ping within {record.measure.ready_s:g} s of the start"
    return [Violation(rule="C4", expected=wanted, actual=f"none in {waited_s:.1f} s: {tally(record.pings())}")]


def _fell_behind(record: Record) -> list[str]:
    probes = record.probes
    late = [probe for probe in probes if probe.sent_s - probe.due_s > _LATE_S and probe.asked != "in_flight"]
    if len(late) <= _LATE_SHARE * len(probes):
        return []
    return [f"the harness fell behind: {len(late)} of {len(probes)} probes left over {_LATE_S:g} s late"]


def _doubts(record: Record) -> list[str]:
    """Say why the record does not suffice, if so."""
    probes, doubts = record.probes, list[str]()
    missing = [name for name in ("steady", "struck", "taken", "reverted", "ended") if record.at(name) is None]
    if missing:
        doubts.append(f"the experiment did not come to: {', '.join(missing)}; {tally(record.invocations())}")
        return doubts
    struck_s, reverted_s = record.at("struck") or 0.0, record.at("reverted") or 0.0
    meanwhile = [probe for probe in record.invocations() if struck_s <= probe.sent_s <= reverted_s]
    due = (reverted_s - struck_s) * record.measure.rate_per_s
    if len(meanwhile) < _ENOUGH * due:
        doubts.append(f"{len(meanwhile)} probes while the fault lasted, where {due:.0f} were due")
    if record.expects.drains and not any(probe.asked == "in_flight" for probe in probes):
        doubts.append("no request was in flight when the signal came")
    if record.expects.far_within_s is not None and not any(probe.asked == "far" for probe in probes):
        doubts.append("nobody asked over the bad network")
    return doubts


def _remarks(record: Record) -> list[str]:
    remarks = [f"{mark.name} at {mark.at_s:.2f} s {mark.evidence}".rstrip() for mark in record.marks]
    if record.past:
        remarks.append(f"the container had come well out of: {', '.join(record.past)}")
    if record.repeats:
        remarks.append(f"run again alone, for at first there was lateness, and nothing else: {record.repeats}")
    remarks += [doubt] if (doubt := kept_window_doubt(record)) else []
    if fate_of(record) is not None:
        remarks.append(fate_told(record))
    return remarks


_CHECKS: tuple[Callable[[Record], list[Violation]], ...] = (
    *(_wrong, foreign, unequal, ping_lies, _never_ready, exits, undrained),
    *(disturbed, shed_badly, far_unserved, not_well_again, not_well_after),
)
