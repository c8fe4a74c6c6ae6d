"""The verdict as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contract.rules import RULES
from harness.report.legible import legible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SHOWN_FAILURES = 2
_MESSAGE_WIDTH = 400


def lines(verdict: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that say a verdict: suites, broken rules with their MUST sentence, what could not be told."""
    yield f"image    {verdict['image']['name']}"
    yield f"profile  {verdict['profile']['name']}"
    for suite, counts in verdict["suites"].items():
        said = ", ".join(f"{counts[key]} {key}" for key in ("passed", "failed", "errors", "skipped") if counts[key])
        yield f"{suite:<9}{said or 'nothing ran'} in {counts['duration_s']:.0f} s"
    rules: Mapping[str, Any] = verdict["rules"]
    for outcome in ("failed", "unknown", "waived"):
        for rule_id in [rule_id for rule_id, entry in rules.items() if entry["outcome"] == outcome]:
            yield from _rule(rule_id, rules[rule_id])
    kept = [rule_id for rule_id, entry in rules.items() if entry["outcome"] == "passed"]
    idle = [rule_id for rule_id, entry in rules.items() if entry["outcome"] == "not_run"]
    if len(idle) < len(rules):
        yield f"kept     {' '.join(kept) or 'none'}"
    if idle:
        yield f"not run  {' '.join(idle) if len(idle) < len(rules) else 'all rules'}"
    if "reason" in verdict:
        yield f"reason   {verdict['reason']}"
    yield f"VERDICT  {verdict['verdict']}"


def _rule(rule_id: str, entry: Mapping[str, Any]) -> Iterator[str]:
    yield f"{entry['outcome']:<8} {rule_id}: {RULES[rule_id].sentence}"
    if "waived" in entry:
        yield f"         because: {entry['waived']}"
    for failure in entry["failures"][:_SHOWN_FAILURES]:
        yield f"         {failure['check']}"
        for line in legible(failure["message"][:_MESSAGE_WIDTH]).splitlines():
            yield f"           {line}"
    if len(entry["failures"]) > _SHOWN_FAILURES:
        yield f"         and {len(entry['failures']) - _SHOWN_FAILURES} more checks"
