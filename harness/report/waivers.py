"""The rules that a profile waives, with its reason, and whether they are broken indeed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.contract.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.contract.judge import Violation
    from harness.report.results import CheckResult

_VIOLATIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A rule that the profile waives: why, how many checks were left out for it, and what is broken all the same."""

    rule: str
    sentence: str
    why: str
    checks: int
    violations: tuple[Violation, ...]


def waivers(verdict: Mapping[str, Any], results: Sequence[CheckResult]) -> Iterator[Waiver]:
    """Yield what the profile waives, in the contract's order."""
    for rule_id, entry in verdict["rules"].items():
        if "waived" in entry:
            mine = [one for one in results if rule_id in one.rules and one.outcome == "waived"]
            found = [broken for one in mine for broken in one.evidence.violations if broken.rule == rule_id]
            yield Waiver(
                rule=rule_id,
                sentence=RULES[rule_id].sentence,
                why=entry["waived"],
                checks=len(mine),
                violations=tuple(found[:_VIOLATIONS]),
            )
