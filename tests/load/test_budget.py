"""P7, C3, C13, C16: what is promised at the profile's rate, from one measurement that all checks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import demand
from harness.contract.verdict import Verdict
from harness.load.judge import judge_load
from harness.load.run import MeasurementFailed, measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.load.finding import LoadJudgement, Subject

pytestmark = pytest.mark.load


@pytest.fixture(scope="module")
def measured(sut_url: str, profile: Profile, series: Sequence[Second], report_dir: Path, seed: int) -> LoadJudgement:
    from harness.report.drawing import drawn_as_text  # noqa: PLC0415 - matplotlib takes half a second, and most runs draw nothing
    from harness.report.load_plots import draw  # noqa: PLC0415 - as above

    record = measure(sut_url, profile, report_dir=report_dir, seed=seed, series=series)
    judgement = judge_load(record, profile)
    (report_dir / "load" / "figures.txt").write_text(f"{judgement}\n")
    with drawn_as_text():
        draw(record, judgement, report_dir / "load" / "load.svg")
    return judgement


def hold(measured: LoadJudgement, subject: Subject) -> None:
    """Fail where a promise is broken; where the measurement cannot tell, that is an error of ours."""
    finding = measured.findings.get(subject)
    if finding is None:
        pytest.skip("the profile's load holds nothing to judge here: `broken_share` is 0")
    if finding.verdict is Verdict.UNKNOWN:
        raise MeasurementFailed(finding.reason)
    demand(finding.violations)


@pytest.mark.rule("P7")
def test_p99_is_within_the_budget(measured: LoadJudgement) -> None:
    """p99 of valid requests MUST be within 1 s of their due moment at the profile's rate."""
    hold(measured, "latency")


@pytest.mark.rule("P7")
def test_every_request_gets_a_right_answer(measured: LoadJudgement) -> None:
    """At the profile's rate there MUST be no errors: every valid request is answered, and rightly."""
    hold(measured, "errors")


@pytest.mark.rule("C9", "D3", "D4", "D5", "D7", "D9")
def test_what_is_broken_is_refused_under_load(measured: LoadJudgement) -> None:
    """Under load too, what breaks a rule MUST be refused, and for that reason."""
    hold(measured, "refusals")


@pytest.mark.rule("C13")
def test_nothing_hangs_and_overload_says_when_to_come_again(measured: LoadJudgement) -> None:
    """A 503 MUST carry Retry-After, and no request MAY hang."""
    hold(measured, "deadline")


@pytest.mark.rule("C3")
def test_ping_answers_under_load(measured: LoadJudgement) -> None:
    """GET /ping MUST be 200 within 2 s under full load."""
    hold(measured, "ping")


@pytest.mark.rule("C16")
def test_connections_are_accepted_under_load(measured: LoadJudgement) -> None:
    """Connections MUST be accepted within 250 ms under full load."""
    hold(measured, "accept")
