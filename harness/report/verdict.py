"""From the results of a run to its verdict, rule by rule."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.contract.rules import RULES, SUITES, Suite
from harness.contract.verdict import Verdict, merge
from harness.report.results import write_results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.report.results import CheckResult

SCHEMA = 1
FILE = "verdict.json"
_COLUMNS = {"passed": "passed", "failed": "failed", "error": "errors", "skipped": "skipped", "waived": "skipped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was judged, by what: `image_id` is None for an endpoint, `image_name` is then its URL."""

    image_name: str
    image_id: str | None
    profile_name: str
    profile_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How the run was set up, so that another one can be set up the same way; no `rules` means all."""

    seed: int
    effort: str
    rules: tuple[str, ...]
    harness: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The verdict of a run with everything that it rests on; `started` is ISO 8601 in UTC."""

    subject: Subject
    setting: Setting
    started: str
    duration_s: float
    asked: tuple[Suite, ...]
    results: tuple[CheckResult, ...]
    waived: Mapping[str, str]
    cut_short: str = ""

    @property
    def verdict(self) -> Verdict:
        """FAILED where a rule is broken; UNKNOWN where a check or a whole suite that was asked for could not tell."""
        of_suites = [_of_suite([result for result in self.results if result.suite == suite]) for suite in self.asked]
        return merge([*of_suites, *([Verdict.UNKNOWN] if self.cut_short else [])])

    def as_json(self) -> dict[str, Any]:
        """Return the content of verdict.json."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict.value,
            "image": {"name": self.subject.image_name, "id": self.subject.image_id},
            "profile": {"name": self.subject.profile_name, "sha256": self.subject.profile_sha256},
            "setting": asdict(self.setting),
            "started": self.started,
            "duration_s": round(self.duration_s, 3),
            "suites": {suite: self._suite(suite) for suite in self.asked},
            "rules": {rule_id: self._rule(rule_id) for rule_id in RULES},
        } | ({"reason": self.cut_short} if self.cut_short else {})

    def write(self, folder: Path) -> Path:
        """Write verdict.json and the results of the checks into a folder."""
        write_results(self.results, folder)
        return write_verdict(self.as_json(), folder)

    def _suite(self, suite: Suite) -> dict[str, float]:
        counts: dict[str, float] = dict.fromkeys(("passed", "failed", "errors", "skipped"), 0)
        mine = [result for result in self.results if result.suite == suite]
        for result in mine:
            counts[_COLUMNS[result.outcome]] += 1
        return {**counts, "duration_s": round(sum(result.duration_s for result in mine), 3)}

    def _rule(self, rule_id: str) -> dict[str, Any]:
        mine = [result for result in self.results if rule_id in result.rules or rule_id in result.violated]
        failures = [result for result in mine if result.outcome == "failed" and rule_id in result.blamed]
        entry = {
            "outcome": self._outcome(rule_id, mine, failures),
            "checks": len(mine),
            "failures": [{"check": result.check, "message": result.message} for result in failures],
        }
        return entry | ({"waived": self.waived[rule_id]} if rule_id in self.waived else {})

    def _outcome(self, rule_id: str, mine: Sequence[CheckResult], failures: Sequence[CheckResult]) -> str:
        outcomes = {result.outcome for result in mine}
        if rule_id in self.waived:
            return "waived"
        if failures:
            return "failed"
        if "error" in outcomes:
            return "unknown"
        if "passed" in outcomes:
            return "passed"
        return "unknown" if outcomes else "not_run"


def write_verdict(verdict: Mapping[str, Any], folder: Path) -> Path:
    """Write verdict.json into a folder, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    unfinished = path.with_suffix(".json.part")
    # What a container sent may hold half of a surrogate pair, which UTF-8 cannot say and JSON's own escape can.
    text = json.dumps(verdict, indent=2, ensure_ascii=False)
    unfinished.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    unfinished.replace(path)
    return path


def unknown_json(reason: str, asked: Sequence[Suite] = SUITES) -> dict[str, Any]:
    """Return the content of verdict.json for a run that did not get as far as a verdict of its own."""
    nothing = {"passed": 0, "failed": 0, "errors": 1, "skipped": 0, "duration_s": 0}
    return {
        "schema": SCHEMA,
        "verdict": Verdict.UNKNOWN.value,
        "reason": reason,
        "image": {"name": None, "id": None},
        "profile": {"name": None, "sha256": None},
        "setting": None,
        "started": None,
        "duration_s": 0,
        "suites": dict.fromkeys(asked, nothing),
        "rules": {rule_id: {"outcome": "not_run", "checks": 0, "failures": []} for rule_id in RULES},
    }


def _of_suite(results: Sequence[CheckResult]) -> Verdict:
    outcomes = {result.outcome for result in results}
    if "failed" in outcomes:
        return Verdict.FAILED
    return Verdict.PASSED if outcomes & {"passed", "waived"} and "error" not in outcomes else Verdict.UNKNOWN
