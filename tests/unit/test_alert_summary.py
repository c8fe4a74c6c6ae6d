"""The summary of a failed run: one message, from one process, with no secret in it or beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., str]

pytest_plugins = ["pytester"]

CHECKS = """
    import os
    import pytest
    from harness.contract.judge import Violation, demand
    from harness.recorder import SUBJECT

    pytestmark = pytest.mark.contract

    @pytest.fixture(autouse=True)
    def _subject(request):
        request.config.stash[SUBJECT] = ("shop/predictor", "sha256:1")

    @pytest.mark.rule("C3")
    @pytest.mark.parametrize("number", range(4))
    def test_ping(number):
        if str(number) in os.environ["BROKEN"]:
            demand([Violation(rule="C3", expected="200", actual="503")])
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("SUT_LEDGER", str(tmp_path / "ledger.sqlite3"))
    for name in ("SLACK_BOT_TOKEN", "SLACK_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(CHECKS)

    def go(broken: str, *options: str) -> str:
        monkeypatch.setenv("BROKEN", broken)
        return str(pytester.runpytest_inprocess("--sut-report-dir=report", *options).stdout)

    return go


def test_a_failed_run_is_one_message_with_what_is_new_known_and_recovered(run: Run) -> None:
    first = run("01")
    for said in ("FAILED: shop/predictor", "2 new failures", "C3  GET /ping MUST be 200", "report: ", "test_ping[0]"):
        assert said in first
    second = run("12")
    assert "1 new failure " in second
    assert "1 known failure, told before, not repeated" in second
    assert "recovered since the last run: C3 test_a_failed_run" in second
    assert "alerts: Well again: test_a_failed_run" in second
    third = run("")
    assert third.count("Well again") == 2
    assert "this would have been sent" not in third


@pytest.mark.parametrize("workers", ["0", "2"])
def test_under_xdist_the_controller_tells_and_nobody_else(run: Run, workers: str) -> None:
    told = run("0123", "-n", workers)
    assert told.count("this would have been sent to #debug-slackbot") == 1
    assert "4 new failures" in told
    assert "FAILED: shop/predictor" in told


@pytest.mark.parametrize("mode", ["off", "console", "slack"])
def test_the_mode_says_where_it_is_told(run: Run, mode: str) -> None:
    told = run("0", f"--sut-alerts={mode}")
    assert ("this would have been sent" in told) == (mode != "off")
    assert ("SLACK_BOT_TOKEN is not set" in told) == (mode == "slack")


def test_no_token_in_anything_that_a_run_leaves_behind(
    run: Run,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Slack refuses the token, the terminal shows locals, and every log line is kept."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1-canary\N{EURO SIGN}")
    told = run("0", "--junitxml=report/junit.xml", "--showlocals", "--log-level=DEBUG", "-v")
    assert "alerts: not told: Slack refused the message to debug-slackbot: invalid_auth" in told
    left = [path.read_bytes() for path in pytester.path.rglob("*") if path.is_file()]
    assert len(left) > 3
    assert not [content for content in (told.encode(), *left) if b"canary" in content]
