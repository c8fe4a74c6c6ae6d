"""What one look found: the checks that came to a result, what is wrong, and what could not be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.alerts.alert import Alert, Checked, Observation
from harness.contract.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.alerts.monitor.checks import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong; `rule` and `must` are the check's where it says no other, `row` names one record."""

    check: Check
    evidence: str
    rule: str = ""
    must: str = ""
    row: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom the looks are about, and how its alerts are told apart."""

    target: str
    variant: str
    row_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one or more looks found; a check that is not covered says nothing, neither good nor bad."""

    covered: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """FAILED where something is wrong, UNKNOWN where something could not be told."""
        if self.findings:
            return Verdict.FAILED
        return Verdict.UNKNOWN if self.doubts or not self.covered else Verdict.PASSED

    def observation(self, subject: Subject) -> Observation:
        """Return what was found as alerts."""
        alerts = [
            Alert(
                target=subject.target,
                variant=subject.variant,
                rule=finding.rule or finding.check.rule,
                check=finding.check.name,
                must=finding.must or finding.check.must,
                evidence=finding.evidence,
                severity=finding.check.severity,
                row=finding.row,
                row_keys=subject.row_keys,
            )
            for finding in self.findings
        ]
        covered = [Checked(target=subject.target, variant=subject.variant, check=check.name) for check in self.covered]
        return Observation(alerts=alerts, covered=covered)


def joined(sights: Iterable[Sight]) -> Sight:
    """Join what several looks found."""
    seen = tuple(sights)
    return Sight(
        covered=tuple(dict.fromkeys(check for sight in seen for check in sight.covered)),
        findings=tuple(finding for sight in seen for finding in sight.findings),
        doubts=tuple(doubt for sight in seen for doubt in sight.doubts),
    )


def found(check: Check, *evidence: str) -> Sight:
    """Return the sight of one check: wrong where there is evidence, well where there is none."""
    return Sight(covered=(check,), findings=tuple(Finding(check=check, evidence=text) for text in evidence))
