"""The pytest plugin object that gathers the results of a run, concludes, and tells."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest

from harness import __version__
from harness.alerts import Alert, Checked, Desk, Headline, Observation, announce, default_ledger_path
from harness.contract.rules import RULES, SUITES, Suite
from harness.report import terminal
from harness.report.durations import remember
from harness.report.history import PAGE, put_away
from harness.report.results import CheckResult, Outcome, evidence_of
from harness.report.verdict import Conclusion, Setting, Subject

if TYPE_CHECKING:
    from pathlib import Path

    from harness.contract.profile import Alerts, Profile
    from harness.options import Choice

SUBJECT = pytest.StashKey[tuple[str, str | None]]()
# Why a check ended the run before the others ran.
ENDED_BY = pytest.StashKey[str]()
OURS, VIOLATED, RULE, SUITE, WAIVED = "ours", "violated", "rule", "suite", "waived"
# Attributes of a report: like its properties they reach the controller, but they are not for junit.xml.
EVIDENCE, PROMISE = "sut_evidence", "sut_promise"
_CUT_SHORT: dict[int, str] = {
    pytest.ExitCode.INTERRUPTED: "the run was interrupted",
    pytest.ExitCode.INTERNAL_ERROR: "pytest itself failed",
}


class Recorder:
    """Keeps one result a check; registered in the controller alone."""

    def __init__(self, config: pytest.Config, choice: Choice, profile: Profile) -> None:
        """Take what was chosen; nothing is written before the run ends."""
        self._config = config
        self._choice = choice
        self._profile = profile
        self._results: dict[str, CheckResult] = {}
        self._unread: list[str] = []
        self._started = time.time()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember that checks are missing: what could not be read was not checked."""
        if report.failed:
            self._unread.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in a phase of a check."""
        suite = _named(report, SUITE)
        if suite:
            before = self._results.get(report.nodeid)
            self._results[report.nodeid] = _merged(before, _result(report, cast("Suite", suite[0])))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Take in what a worker of pytest-xdist found out about the image, and what ended its run."""
        output = getattr(node, "workeroutput", {})
        if "sut_subject" in output:
            self._config.stash[SUBJECT] = output["sut_subject"]
        if "sut_ended_by" in output:
            self._config.stash[ENDED_BY] = output["sut_ended_by"]

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """Conclude: write the verdict, show it, tell of new failures."""
        if not self._results and ENDED_BY not in self._config.stash:
            return
        conclusion = self._conclude(self._cut_short(exitstatus))
        terminalreporter.write_sep("=", "verdict")
        for line in terminal.lines(conclusion.as_json()):
            terminalreporter.write_line(line)
        if self._choice.report_dir is not None:
            terminalreporter.write_line(f"report   {_written(conclusion, self._choice.report_dir)}")
        self._announce(conclusion, terminalreporter)

    def _cut_short(self, exitstatus: int) -> str:
        unread = f"could not be read: {', '.join(self._unread)}" if self._unread else ""
        return unread or self._config.stash.get(ENDED_BY, "") or _CUT_SHORT.get(exitstatus, "")

    def _conclude(self, cut_short: str) -> Conclusion:
        name, image_id = self._config.stash.get(SUBJECT, (self._choice.image or self._choice.url or "reference", None))
        results = tuple(self._results.values())
        return Conclusion(
            subject=Subject(
                image_name=name,
                image_id=image_id,
                profile_name=self._profile.name,
                profile_sha256=self._profile.sha256,
            ),
            setting=Setting(
                seed=self._choice.seed,
                effort=self._choice.effort,
                rules=tuple(sorted(self._choice.rules)),
                harness=__version__,
            ),
            started=datetime.fromtimestamp(self._started, UTC).isoformat(timespec="seconds"),
            duration_s=time.time() - self._started,
            asked=tuple(suite for suite in SUITES if any(result.suite == suite for result in results)),
            results=results,
            waived=self._profile.waived,
            cut_short=cut_short,
        )

    def _announce(self, conclusion: Conclusion, terminalreporter: pytest.TerminalReporter) -> None:
        report_dir = self._choice.report_dir
        headline = Headline(
            verdict=conclusion.verdict.value,
            target=conclusion.subject.image_name,
            profile=conclusion.subject.profile_name,
            at=self._started + conclusion.duration_s,
            duration_s=conclusion.duration_s,
            report=str(report_dir / PAGE) if report_dir else None,
        )
        desk = Desk(
            ledger_path=self._choice.ledger or default_ledger_path(os.environ),
            environ=os.environ,
            say=terminalreporter.write_line,
            mode=self._choice.alerts,  # type: ignore[arg-type]  # read_choice let only the modes through
            settings=self._profile.alerts,
        )
        announcement = announce(_observation(conclusion, self._profile.alerts), headline, desk)
        if announcement.outcome not in ("off", "nothing new"):
            terminalreporter.write_line(f"alerts   {announcement.outcome}: {announcement.detail}")


def _written(conclusion: Conclusion, folder: Path) -> str:
    """Write the verdict, and the page that shows it; no trouble with the page changes the verdict."""
    from harness.report.report import write_report  # noqa: PLC0415 - every start of pytest would wait for it

    put_away(folder)
    verdict = conclusion.write(folder)
    try:
        remember(conclusion.results, folder)
        return str(write_report(folder))
    except Exception as error:  # noqa: BLE001 - as the docstring says
        return f"{verdict} (no page: {type(error).__name__}: {error})"


def short_id(nodeid: str) -> str:
    """Return a check's id without the folder that all checks share."""
    return nodeid.removeprefix("tests/")


def _result(report: pytest.TestReport, suite: Suite) -> CheckResult:
    return CheckResult(
        check=short_id(report.nodeid),
        suite=suite,
        rules=_named(report, RULE),
        violated=_named(report, VIOLATED),
        outcome=_outcome(report),
        message=_message(report),
        duration_s=report.duration,
        promise=getattr(report, PROMISE, ""),
        evidence=evidence_of(getattr(report, EVIDENCE, {})),
    )


def _outcome(report: pytest.TestReport) -> Outcome:
    if report.failed:
        return "error" if _named(report, OURS) else "failed"
    if report.skipped:
        return "waived" if _named(report, WAIVED) else "skipped"
    return "passed"


def _merged(before: CheckResult | None, after: CheckResult) -> CheckResult:
    """Join the phases of one check: the first that did not pass decides."""
    if before is None:
        return after
    kept = after if before.outcome == "passed" else before
    return replace(kept, duration_s=before.duration_s + after.duration_s)


def _named(report: pytest.TestReport, key: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value) for name, value in report.user_properties if name == key))


def _message(report: pytest.TestReport) -> str:
    if report.passed:
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return str(crash.message).removeprefix("harness.contract.judge.Violated: ")
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)


def _observation(conclusion: Conclusion, settings: Alerts) -> Observation:
    """Return what failed, and what is well: a check that passed keeps all of its rules."""
    target = conclusion.subject.image_name
    alerts = [
        Alert(
            target=target,
            rule=rule_id,
            check=result.check,
            must=RULES[rule_id].sentence,
            evidence=result.message,
            row_keys=settings.notification_deduping_row_keys,
        )
        for result in conclusion.results
        if result.outcome == "failed"
        for rule_id in result.blamed
    ]
    passed = [Checked(target=target, check=result.check) for result in conclusion.results if result.outcome == "passed"]
    return Observation(alerts=alerts, covered=passed)
