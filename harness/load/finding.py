"""What a measurement came to, subject by subject, and the verdict over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.contract.verdict import Verdict, merge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract.judge import Violation
    from harness.load.figures import Figures
    from harness.load.share import Share

Subject = Literal["latency", "errors", "refusals", "deadline", "ping", "accept", "growth", "leaks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one subject came to: violations where FAILED, the reason where UNKNOWN."""

    subject: Subject
    verdict: Verdict
    violations: tuple[Violation, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadJudgement:
    """The verdict on a measurement, subject by subject, and its figures; `spoiled` says why ours cannot be trusted."""

    findings: Mapping[Subject, Finding]
    spoiled: tuple[str, ...]
    over_budget: Share
    figures: Figures

    @property
    def verdict(self) -> Verdict:
        """The verdict over all subjects."""
        return merge(finding.verdict for finding in self.findings.values())

    def __str__(self) -> str:
        told = [f"{one.subject}: {one.verdict} {one.reason}".rstrip() for one in self.findings.values()]
        return "\n".join([f"{self.verdict}", *told, *map(str, self.violations), f"{self.figures}"])

    @property
    def violations(self) -> tuple[Violation, ...]:
        """All violations, in the order of the subjects."""
        return tuple(violation for finding in self.findings.values() for violation in finding.violations)


def finding_of(subject: Subject, broken: Sequence[Violation]) -> Finding:
    """Return what a subject came to where it could be judged."""
    verdict = Verdict.FAILED if broken else Verdict.PASSED
    return Finding(subject=subject, verdict=verdict, violations=tuple(broken))


def unknown(subject: Subject, reasons: Sequence[str]) -> Finding:
    """Return a finding that could not be made, for these reasons."""
    return Finding(subject=subject, verdict=Verdict.UNKNOWN, reason="; ".join(reasons))
