"""The matrix of rules: every rule of the contract, what each suite said of it, run or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.contract.rules import RULES, SUITES, Suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.report.results import CheckResult

# "not promised": the suite does not speak of the rule; "not run": it does, and did not this time.
State = Literal["passed", "failed", "unknown", "waived", "not run", "not promised"]

_PARTS = {"C": "Process and routes", "R": "Request", "D": "Data rules", "P": "Answer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one suite said of one rule: of `checks` checks so many that decide the state."""

    suite: Suite
    state: State
    deciding: int = 0
    checks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rule, its outcome over all suites, and a cell for each of them."""

    rule: str
    sentence: str
    state: State
    checks: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rules of one part of the contract."""

    title: str
    rows: tuple[Row, ...]


def matrix(verdict: Mapping[str, Any], results: Sequence[CheckResult]) -> tuple[Group, ...]:
    """Return a row for each rule of the contract, in its order, grouped by its parts."""
    rows = [_row(rule_id, verdict["rules"][rule_id], results) for rule_id in RULES if rule_id in verdict["rules"]]
    parts = {letter: tuple(row for row in rows if row.rule.startswith(letter)) for letter in _PARTS}
    return tuple(Group(title=_PARTS[letter], rows=mine) for letter, mine in parts.items() if mine)


def _row(rule_id: str, entry: Mapping[str, Any], results: Sequence[CheckResult]) -> Row:
    mine = [result for result in results if rule_id in result.rules or rule_id in result.violated]
    return Row(
        rule=rule_id,
        sentence=RULES[rule_id].sentence,
        state=entry["outcome"].replace("_", " "),
        checks=entry["checks"],
        cells=tuple(_cell(rule_id, suite, [one for one in mine if one.suite == suite]) for suite in SUITES),
    )


def _cell(rule_id: str, suite: Suite, mine: Sequence[CheckResult]) -> Cell:
    by_state: dict[State, int] = {
        "failed": sum(one.outcome == "failed" and rule_id in one.blamed for one in mine),
        "unknown": sum(one.outcome == "error" for one in mine),
        # A check that failed for another rule's sake says nothing against this one.
        "passed": sum(
            one.outcome == "passed" or (one.outcome == "failed" and rule_id not in one.blamed) for one in mine
        ),
        "waived": sum(one.outcome == "waived" for one in mine),
    }
    for state, number in by_state.items():
        if number:
            return Cell(suite=suite, state=state, deciding=number, checks=len(mine))
    promised = suite in RULES[rule_id].suites
    return Cell(suite=suite, state="not run" if promised else "not promised", checks=len(mine))
