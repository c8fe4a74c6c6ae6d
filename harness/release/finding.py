"""What one subject of a comparison came to, and what all of them decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from harness.contract.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Subject = Literal[
    "service",
    "parity",
    "difference",
    "absolute loss",
    "squared loss",
    "skill",
    "latency",
    "over budget",
    "errors",
    "memory",
    "start",
]
Number = float | int | str | None


class Decision(StrEnum):
    """What to do with a challenger; INCONCLUSIVE: more windows, or a person, must decide."""

    PROMOTE = "PROMOTE"
    REJECT = "REJECT"
    INCONCLUSIVE = "INCONCLUSIVE"

    @property
    def exit_status(self) -> int:
        """The exit status of a command that ends in this decision."""
        return {Decision.PROMOTE: 0, Decision.REJECT: 1, Decision.INCONCLUSIVE: 3}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """PASSED: surely no worse; FAILED: surely worse; UNKNOWN: neither is sure.

    `more_windows` is how many more of the subject's windows would decide it if what was seen stayed; None where it is
    decided, or no number would.
    """

    subject: Subject
    verdict: Verdict
    says: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    more_windows: int | None = None


def decide(findings: Sequence[Finding]) -> Decision:
    """REJECT where anything is worse, PROMOTE where nothing can be."""
    verdicts = {finding.verdict for finding in findings}
    if Verdict.FAILED in verdicts:
        return Decision.REJECT
    return Decision.PROMOTE if verdicts == {Verdict.PASSED} else Decision.INCONCLUSIVE
