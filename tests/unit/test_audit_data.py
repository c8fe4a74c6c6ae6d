"""The audit of data: what is wrong is found under its id and severity, and what is good is not blocked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from fixtures.audit_data.corpus import Case, Corpus, cases, week_of_hours
from harness.audit.data_audit import audit_data
from harness.audit.finding import Severity
from harness.contract.profile import load_profile

if TYPE_CHECKING:
    from pathlib import Path

    from harness.audit.finding import Audit

CASES = cases()
PROFILE = load_profile()


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Make the good data sets once; they end within the last hour."""
    return Corpus(end_s=int(time.time()))


def blocking(audit: Audit) -> set[str]:
    return {finding.id for finding in audit.findings if finding.severity is Severity.BLOCKS}


def test_the_corpus_has_25_cases_and_more_than_20_findings() -> None:
    assert len(CASES) >= 25
    assert len({case.finds for case in CASES}) > 20


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_wrong_is_found_under_its_id_and_severity(corpus: Corpus, case: Case, tmp_path: Path) -> None:
    audit = audit_data([corpus.write(case, tmp_path)], PROFILE)
    found = {finding.id: finding for finding in audit.findings}
    assert case.finds in found, sorted(found)
    assert found[case.finds].severity == case.severity, found[case.finds].says
    assert found[case.finds].numbers
    assert blocking(audit) <= {case.finds, *case.along}
    assert audit.exit_status == (1 if blocking(audit) else 0)


@pytest.mark.parametrize("base", ["thinned", "dense"])
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_good_data_set_is_not_blocked(corpus: Corpus, base: str, suffix: str, tmp_path: Path) -> None:
    good = Case(name="good", finds="", severity="", base=base, suffix=suffix)  # type: ignore[arg-type]  # two of each
    audit = audit_data([corpus.write(good, tmp_path)], PROFILE)
    assert blocking(audit) == set()
    assert audit.exit_status == 0
    assert not audit.untold


def test_six_weeks_with_an_hour_of_each_day_are_not_blocked(tmp_path: Path) -> None:
    frame = pd.DataFrame(week_of_hours(int(time.time())))
    times = [name for name in frame if name.startswith("time_")]
    frame[times] = frame[times].apply(pd.to_datetime)
    corpus = Corpus(end_s=int(time.time()))
    corpus.connection.register("frame", frame)
    corpus.connection.sql("FROM frame").write_parquet(str(tmp_path / "weeks.parquet"))
    audit = audit_data([tmp_path / "weeks.parquet"], PROFILE)
    assert blocking(audit) == set()
