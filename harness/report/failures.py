"""The failures of a run as its reader meets them: by broken rule, a few in full, the others by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.contract.rules import RULES
from harness.report.legible import clipped, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract.difference import Change
    from harness.contract.judge import Violation
    from harness.report.results import CheckResult

NO_RULE = "no rule"
# A page must stay one that a phone opens: so many failures in full in all, and so many of one rule.
_IN_FULL, _OF_ONE_RULE, _NAMED = 60, 5, 40
_VIOLATIONS, _TEXT, _LOG, _LINE = 4, 1_500, 3_000, 4_000
_GIST = 220


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One check that failed, in full; `along` are the other rules that it found broken.

    `experiment` names the one that a check of the chaos suite is about.
    """

    anchor: str
    check: str
    suite: str
    promise: str
    violations: tuple[Violation, ...]
    message: str
    again: str
    bodies: tuple[str, ...]
    log: str
    says: str
    changes: tuple[Change, ...]
    along: tuple[str, ...]
    experiment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A failed check by name; `anchor` is where it stands in full, where it does."""

    check: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """One broken rule: of how many checks how many failed, what happened in a line, and the failures."""

    rule: str
    sentence: str
    failed: int
    checks: int
    gist: str
    shown: tuple[Failure, ...]
    others: tuple[Mention, ...]
    unnamed: int


def broken_rules(verdict: Mapping[str, Any], results: Sequence[CheckResult]) -> tuple[BrokenRule, ...]:
    """Return the broken rules in the contract's order; a check stands in full once, under the first rule it broke."""
    failed = [result for result in results if result.outcome == "failed"]
    by_rule = {name: blaming for name in (*RULES, NO_RULE) if (blaming := [one for one in failed if _is_of(one, name)])}
    waived = [name for name in by_rule if "waived" in verdict["rules"].get(name, {})]
    allowance = max(1, min(_OF_ONE_RULE, _IN_FULL // max(1, len(by_rule))))
    anchors: dict[str, str] = {}
    return tuple(
        _broken(name, verdict["rules"].get(name, {}), blaming, anchors, allowance)
        for name, blaming in by_rule.items()
        if name not in waived
    )


def _is_of(result: CheckResult, name: str) -> bool:
    return name in result.blamed if name != NO_RULE else not result.blamed


def _broken(
    name: str, entry: Mapping[str, Any], failed: Sequence[CheckResult], anchors: dict[str, str], allowance: int
) -> BrokenRule:
    """Say what is to be said of one rule; `anchors` holds the checks that stand in full already, and takes these."""
    fresh = _distinct([one for one in failed if one.check not in anchors])[:allowance]
    anchors |= {one.check: f"failure-{number}" for number, one in enumerate(fresh, start=len(anchors) + 1)}
    others = [one.check for one in failed if one not in fresh]
    return BrokenRule(
        rule=name,
        sentence=RULES[name].sentence if name in RULES else "A check failed that speaks for no rule of the contract.",
        failed=len(failed),
        checks=entry.get("checks", len(failed)),
        gist=_gist(name, failed[0]),
        shown=tuple(_failure(one, name, anchors[one.check]) for one in fresh),
        others=tuple(Mention(check=check, anchor=anchors.get(check, "")) for check in others[:_NAMED]),
        unnamed=max(0, len(others) - _NAMED),
    )


def _distinct(failed: Sequence[CheckResult]) -> list[CheckResult]:
    """Return one check for each message: where a container is dead, every check says the same."""
    return list({one.message: one for one in reversed(failed)}.values())[::-1]


def _failure(result: CheckResult, name: str, anchor: str) -> Failure:
    found = result.evidence
    mine = [violation for violation in found.violations if violation.rule == name]
    others = [violation for violation in found.violations if violation.rule != name]
    return Failure(
        anchor=anchor,
        check=result.check,
        suite=result.suite,
        promise=result.promise,
        violations=tuple(_shortened(violation) for violation in [*mine, *others][:_VIOLATIONS]),
        message="" if found.violations else clipped(result.message, _TEXT),
        again=clipped(found.again, _LINE),
        bodies=tuple(name for name in found.bodies if name.startswith("failures/")),
        log=_tail(found.log),
        says=clipped(found.says, _TEXT),
        changes=tuple(_short(change) for change in found.changes),
        along=tuple(rule for rule in result.blamed if rule != name),
        experiment=result.check.partition("[")[2].rstrip("]") if result.suite == "chaos" else "",
    )


def _gist(name: str, result: CheckResult) -> str:
    """Say in one line what came in place of what was promised."""
    for violation in result.evidence.violations:
        if violation.rule == name:
            return one_line(f"Expected {violation.expected}; got {violation.actual}", _GIST)
    return one_line(result.message, _GIST)


def _shortened(violation: Violation) -> Violation:
    return type(violation)(
        rule=violation.rule, expected=clipped(violation.expected, _TEXT), actual=clipped(violation.actual, _TEXT)
    )


def _short(change: Change) -> Change:
    return type(change)(
        field=one_line(change.field, 80),
        records=one_line(change.records, 60),
        good=one_line(change.good, 120),
        sent=one_line(change.sent, 120),
    )


def _tail(log: str) -> str:
    """Keep the end of a log: the last lines are those that tell."""
    head, _, rest = log.partition("\n")
    return f"{clipped(head, 300)}\n{rest[-_LOG:]}" if rest else clipped(head, _LOG)
