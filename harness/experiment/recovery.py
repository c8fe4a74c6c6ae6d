"""Recovery: well again within the time that the profile grants, and well from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract.judge import Violation
from harness.experiment.exits import untold
from harness.experiment.record import tally
from harness.experiment.steadiness import well_from

if TYPE_CHECKING:
    from harness.experiment.record import Record


def recovered_s_of(record: Record) -> float | None:
    """Return when the container was well again for good after the revert, in the record's seconds; None: never."""
    reverted_s = record.at("reverted")
    return None if reverted_s is None else well_from(record.probes, record.measure, since_s=reverted_s)


def not_well_again(record: Record) -> list[Violation]:
    """Recovery within the profile's time, under the rule that promises it for this fault."""
    reverted_s, recovered_s, measure = record.at("reverted"), recovered_s_of(record), record.measure
    if reverted_s is None or (recovered_s is not None and recovered_s - reverted_s <= measure.recovery_s):
        return []
    rule, wanted = record.expects.recovery_rule, f"every probe well again within {measure.recovery_s:g} s"
    if recovered_s is not None:
        return [Violation(rule=rule, expected=wanted, actual=f"well again after {recovered_s - reverted_s:.1f} s")]
    after = [probe for probe in record.invocations() if probe.sent_s >= reverted_s]
    last = record.looks[-1]
    watched_s = (record.at("ended") or reverted_s) - reverted_s
    actual = f"not within {watched_s:.1f} s: container {last.status}, exit code {last.exit_code}; {tally(after)}"
    return [Violation(rule=rule, expected=wanted, actual=f"{actual}\n{last.log}".rstrip())]


def not_well_after(record: Record) -> list[Violation]:
    """After recovery nothing fails any more, and nothing exits."""
    recovered_s = recovered_s_of(record)
    if recovered_s is None:
        return []
    bad = [
        p for p in record.invocations() if p.sent_s > recovered_s and p.outcome in ("failed", "timed out", "refused")
    ]
    down = [look for look in record.looks if not look.is_up and look.at_s > recovered_s]
    broken = [untold(down[0])] if down else []
    if bad and not down:
        wanted = "no failed request after the recovery"
        broken.append(Violation(rule=record.expects.recovery_rule, expected=wanted, actual=tally(bad)))
    return broken
