"""The readiness checklist: each row is met, not met or not measured, with the rules that show it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.audit.checklist import DEMANDS
from harness.audit.finding import Severity
from harness.audit.readiness import VerdictUnreadable, read_verdict, readiness_findings
from harness.contract.rules import RULES, SUITES

if TYPE_CHECKING:
    from pathlib import Path

    from harness.audit.finding import Finding


def verdict(word: str = "PASSED", **outcomes: str) -> dict[str, Any]:
    return {
        "verdict": word,
        "image": {"name": "price:1", "id": "sha256:1"},
        "suites": {suite: {} for suite in SUITES},
        "rules": {rule: {"outcome": outcomes.get(rule, "passed")} for rule in RULES},
    }


def rows(found: dict[str, Any] | None, url: str | None = None) -> dict[str, Finding]:
    return {finding.id.removeprefix("readiness."): finding for finding in readiness_findings(found, url=url)}


def test_what_passed_is_met_and_blocks_nothing() -> None:
    found = rows(verdict())
    assert {found[demand.id].numbers["state"] for demand in DEMANDS} == {"met"}
    assert found["release.through_the_gate"].numbers["state"] == "met"
    assert not any(finding.severity is Severity.BLOCKS for finding in found.values())


@pytest.mark.parametrize(
    ("outcome", "state", "severity"),
    [
        ("failed", "not met", "blocks"),
        ("waived", "not met", "warns"),
        ("not_run", "not measured", "warns"),
        ("unknown", "not measured", "warns"),
    ],
)
def test_a_row_names_the_rule_that_shows_it(outcome: str, state: str, severity: str) -> None:
    row = rows(verdict(C10=outcome))["security.no_debugger"]
    assert (row.numbers["state"], row.numbers["rule"], row.severity.value) == (state, "C10", severity)
    assert f"{state} (C10 {outcome.replace('_', ' ')})" in row.says


def test_a_failed_verdict_never_went_through_the_gate() -> None:
    assert rows(verdict("FAILED"))["release.through_the_gate"].numbers["state"] == "not met"
    partly = verdict()
    del partly["suites"]["chaos"]
    assert "without chaos" in rows(partly)["release.through_the_gate"].says


@pytest.mark.parametrize(
    ("url", "state"),
    [
        (None, "not measured"),
        ("http://127.0.0.1:8080", "not measured"),
        ("http://localhost", "not measured"),
        ("https://price.example", "not met"),
    ],
)
def test_an_endpoint_that_answers_strangers_is_open(url: str | None, state: str) -> None:
    assert rows(verdict(), url)["security.signed_access"].numbers["state"] == state


@pytest.mark.parametrize(("name", "is_another"), [("price:1", False), ("sha256:1", False), ("price:2", True)])
def test_a_verdict_on_another_image_is_said_so(name: str, is_another: bool) -> None:  # noqa: FBT001 - a table's column
    found = {finding.id for finding in readiness_findings(verdict(), names=[name])}
    assert ("readiness.of_another_image" in found) is is_another


def test_without_a_verdict_one_line_says_how_to_get_one() -> None:
    assert [*rows(None)] == ["not_measured"]


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"rules": {}, "suites": [], "image": {}, "verdict": ""})])
def test_what_is_no_verdict_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "verdict.json").write_text(text)
    with pytest.raises(VerdictUnreadable, match=r"is no verdict\.json"):
        read_verdict(tmp_path / "verdict.json")
