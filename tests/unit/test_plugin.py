"""The plugin: wrong options end with one sentence, and blame goes where it belongs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from harness.contract.difference import Change
from harness.contract.judge import Violation
from harness.report.results import Evidence, read_results

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

CHECKS = """
    import pytest
    from harness.contract.judge import Violation, demand

    pytestmark = pytest.mark.contract

    @pytest.mark.rule("C2")
    def test_kept():
        pass

    @pytest.mark.rule("C3", "C4")
    def test_broken():
        demand([Violation(rule="C3", expected="200", actual="503")])

    @pytest.mark.rule("C5")
    def test_ours():
        raise OSError("the disk is full")
"""


EVIDENCE = """
    import pytest
    from harness.contract.difference import Example
    from harness.contract.judge import Violation, demand
    from harness.contract.records import Window

    pytestmark = pytest.mark.dq

    @pytest.mark.rule("D3")
    def test_kept():
        "Prices MUST be above 0."

    @pytest.mark.rule("D4")
    def test_broken():
        '''A null MUST be refused,
        wherever it is.

        More words.
        '''
        good = Window(records=({"price": 1}, {"price": 2}))
        sent = Window(records=({"price": 1}, {"price": None}))
        example = Example(says="record 1: price is null", good=good, sent=sent)
        demand([Violation(rule="D4", expected="422", actual="200")], None, example)
"""


def run(pytester: pytest.Pytester, checks: str, *options: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    pytester.makepyfile(checks)
    folder = pytester.path / "report"
    ended = pytester.runpytest_inprocess("--sut-report-dir=report", "--sut-alerts=off", *options)
    return ended, json.loads((folder / "verdict.json").read_text())


def test_failed_is_theirs_and_error_is_ours(pytester: pytest.Pytester) -> None:
    ended, verdict = run(pytester, CHECKS)
    ended.assert_outcomes(passed=1, failed=1, errors=1)
    outcomes = {rule_id: verdict["rules"][rule_id]["outcome"] for rule_id in ("C2", "C3", "C4", "C5")}
    assert outcomes == {"C2": "passed", "C3": "failed", "C4": "unknown", "C5": "unknown"}
    assert verdict["verdict"] == "FAILED"
    assert verdict["suites"]["contract"] | {"duration_s": 0} == {
        "passed": 1,
        "failed": 1,
        "errors": 1,
        "skipped": 0,
        "duration_s": 0,
    }


def test_what_a_failure_leaves_behind_is_kept_beside_the_verdict(pytester: pytest.Pytester) -> None:
    run(pytester, EVIDENCE)
    kept, broken = read_results(pytester.path / "report")
    assert (kept.outcome, kept.promise, kept.evidence) == ("passed", "", Evidence())
    assert (broken.promise, broken.evidence.says) == (
        "A null MUST be refused, wherever it is.",
        "record 1: price is null",
    )
    assert broken.evidence.violations == (Violation(rule="D4", expected="422", actual="200"),)
    assert broken.evidence.changes == (Change(field="price", records="1", good="2", sent="null"),)
    assert "report.html" in {path.name for path in (pytester.path / "report").iterdir()}


def test_evidence_travels_between_processes(pytester: pytest.Pytester) -> None:
    """pytest-xdist sends a report as JSON has it."""
    pytester.makeconftest("""
        import json, pytest
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            return pytest.TestReport._from_json(json.loads(json.dumps(report._to_json())))
    """)
    run(pytester, EVIDENCE)
    assert read_results(pytester.path / "report")[1].evidence.says == "record 1: price is null"


def test_junit_names_suite_and_rules_and_leaves_the_evidence_to_the_report(pytester: pytest.Pytester) -> None:
    run(pytester, EVIDENCE, "--junitxml=junit.xml")
    cases = ET.parse(pytester.path / "junit.xml").iter("testcase")  # noqa: S314 - pytest wrote it just now
    found = [[(one.get("name"), one.get("value")) for one in case.iter("property")] for case in cases]
    assert found == [[("suite", "dq"), ("rule", "D3")], [("suite", "dq"), ("rule", "D4"), ("violated", "D4")]]


def test_page_that_cannot_be_written_changes_no_verdict(pytester: pytest.Pytester) -> None:
    (pytester.path / "report" / "durations.json").mkdir(parents=True)
    ended, verdict = run(pytester, CHECKS, "-k", "kept")
    assert verdict["verdict"] == "PASSED"
    ended.stdout.fnmatch_lines(["report *verdict.json (no page: IsADirectoryError*"])


def test_only_the_checks_for_the_rules_that_were_asked_for(pytester: pytest.Pytester) -> None:
    ended, verdict = run(pytester, CHECKS, "--sut-rules=C2, C4")
    ended.assert_outcomes(passed=1, failed=1, deselected=1)
    assert verdict["rules"]["C5"]["outcome"] == "not_run"


def test_inability_alone_is_unknown(pytester: pytest.Pytester) -> None:
    _, verdict = run(pytester, CHECKS, "-k", "test_kept or test_ours")
    assert verdict["verdict"] == "UNKNOWN"


def test_waived_rule_does_not_fail(pytester: pytest.Pytester, tmp_path: Path) -> None:
    from harness.contract.profile import DEFAULT_PROFILE  # noqa: PLC0415 - beside its only use

    waiving = tmp_path / "waiving.toml"
    waiving.write_text(DEFAULT_PROFILE.read_text().replace("[waived]", '[waived]\nC3 = "the balancer answers pings"'))
    _, verdict = run(pytester, CHECKS, "-k", "test_kept or test_broken", f"--sut-profile={waiving}")
    assert verdict["verdict"] == "PASSED"
    assert verdict["rules"]["C3"] | {"checks": 0, "failures": []} == {
        "outcome": "waived",
        "checks": 0,
        "failures": [],
        "waived": "the balancer answers pings",
    }


def test_endpoint_is_never_harmed(pytester: pytest.Pytester) -> None:
    checks = "import pytest\n@pytest.mark.chaos\n@pytest.mark.rule('C17')\ndef test_harm(): raise AssertionError"
    ended, verdict = run(pytester, checks, "--sut-url=http://127.0.0.1:9")
    ended.assert_outcomes(skipped=1)
    assert verdict["verdict"] == "UNKNOWN"


def test_rule_that_is_none_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.contract\n@pytest.mark.rule('C99')\ndef test_it(): pass")
    ended = pytester.runpytest_inprocess()
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines(["*names no rule of the contract*"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--sut-image=a", "--sut-url=http://b"], "*exclude each other*"),
        (["--sut-url=b:80"], "*--sut-url must begin with http*"),
        (["--sut-seed=x"], "*--sut-seed must be a whole number*"),
        (["--sut-effort=huge"], "*--sut-effort must be one of quick, normal, thorough*"),
        (["--sut-rules=C9,C99"], "*--sut-rules: the contract has no rule C99; it has C1,*"),
        (["--sut-profile=nowhere.toml"], "*--sut-profile: there is no file nowhere.toml*"),
    ],
)
def test_wrong_option_ends_with_one_sentence(pytester: pytest.Pytester, options: list[str], says: str) -> None:
    pytester.makepyfile("def test_it(): pass")
    ended = pytester.runpytest_inprocess(*options)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines([says])


def test_command_line_beats_environment_beats_ini(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makepyfile("def test_it(): pass")
    pytester.makeini("[pytest]\nsut_image = from-ini\n")
    pytester.runpytest_inprocess().stdout.fnmatch_lines(["sut: from-ini,*"])
    monkeypatch.setenv("SUT_IMAGE", "from-environment")
    pytester.runpytest_inprocess().stdout.fnmatch_lines(["sut: from-environment,*"])
    pytester.runpytest_inprocess("--sut-image=given").stdout.fnmatch_lines(["sut: given,*"])


def test_run_that_dies_in_collection_is_unknown(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_good=CHECKS, test_bad="import nowhere_at_all")
    pytester.runpytest_inprocess(
        "--sut-report-dir=report", "--sut-alerts=off", "--continue-on-collection-errors", "-k", "kept"
    )
    verdict = json.loads((pytester.path / "report" / "verdict.json").read_text())
    assert verdict["verdict"] == "UNKNOWN"
