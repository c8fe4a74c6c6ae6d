"""The verdict follows from the results, rule by rule."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.contract.rules import RULES
from harness.contract.verdict import Verdict, merge
from harness.report.results import CheckResult, Outcome
from harness.report.terminal import lines
from harness.report.verdict import Conclusion, Setting, Subject

if TYPE_CHECKING:
    from pathlib import Path

SUBJECT = Subject(image_name="i", image_id=None, profile_name="p", profile_sha256="0")
SETTING = Setting(seed=1, effort="quick", rules=(), harness="0")


def result(outcome: Outcome, *rules: str, violated: tuple[str, ...] = ()) -> CheckResult:
    return CheckResult(
        check=f"c[{rules}]", suite="contract", rules=rules, violated=violated, outcome=outcome, message="why"
    )


def conclusion(*results: CheckResult, **changes: Any) -> Conclusion:  # noqa: ANN401 - fields of the value
    fields: dict[str, Any] = {"subject": SUBJECT, "setting": SETTING, "started": "t", "duration_s": 1.0, "waived": {}}
    fields |= {"asked": ("contract",)} | changes
    return Conclusion(results=results, **fields)


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        (["passed"], Verdict.PASSED),
        (["passed", "skipped"], Verdict.PASSED),
        (["passed", "waived"], Verdict.PASSED),
        (["passed", "error"], Verdict.UNKNOWN),
        (["failed", "error"], Verdict.FAILED),
        (["skipped"], Verdict.UNKNOWN),
        ([], Verdict.UNKNOWN),
    ],
)
def test_verdict_of_a_suite(outcomes: list[Outcome], verdict: Verdict) -> None:
    assert conclusion(*(result(outcome, "C3") for outcome in outcomes)).verdict == verdict


def test_run_that_was_cut_short_is_never_passed() -> None:
    assert conclusion(result("passed", "C3"), cut_short="interrupted").verdict == Verdict.UNKNOWN


def test_failure_counts_against_the_rules_that_were_found_broken() -> None:
    rules = conclusion(
        result("passed", "R1", "P3"), result("failed", "R1", "P3", violated=("P3",)), result("error", "C4")
    ).as_json()["rules"]
    found = {rule_id: rules[rule_id]["outcome"] for rule_id in ("R1", "P3", "C4", "C18")}
    assert found == {"R1": "passed", "P3": "failed", "C4": "unknown", "C18": "not_run"}
    assert rules["P3"]["failures"] == [{"check": "c[('R1', 'P3')]", "message": "why"}]


def test_every_rule_is_listed_and_a_waiver_shows_its_reason() -> None:
    rules = conclusion(result("waived", "C7"), waived={"C7": "the router"}).as_json()["rules"]
    assert list(rules) == list(RULES)
    assert (rules["C7"]["outcome"], rules["C7"]["waived"]) == ("waived", "the router")


def test_verdict_is_written_whole(tmp_path: Path) -> None:
    path = conclusion(result("failed", "C3")).write(tmp_path / "new")
    assert json.loads(path.read_text())["verdict"] == "FAILED"
    assert sorted(found.name for found in path.parent.iterdir()) == ["checks.jsonl", "verdict.json"]


def test_terminal_shows_the_must_sentence_of_a_broken_rule() -> None:
    text = "\n".join(lines(conclusion(result("failed", "C3")).as_json()))
    assert RULES["C3"].sentence in text
    assert text.endswith("VERDICT  FAILED")


def test_terminal_is_not_steered_by_what_a_container_sent() -> None:
    sent = replace(result("failed", "C3"), message="\x1b[2J\x9b2J gone")
    assert r"\x1b[2J\x9b2J gone" in "\n".join(lines(conclusion(sent).as_json()))


def test_failed_beats_unknown_beats_passed() -> None:
    assert merge([Verdict.PASSED, Verdict.UNKNOWN]) == Verdict.UNKNOWN
    assert merge([Verdict.UNKNOWN, Verdict.FAILED, Verdict.PASSED]) == Verdict.FAILED
    assert [verdict.exit_status for verdict in Verdict] == [0, 1, 2]
