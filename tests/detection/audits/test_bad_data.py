"""The audit of data: what is wrong is found under its id and severity, and what is good is not blocked."""

from __future__ import annotations

import dataclasses
import gzip
import time
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from fixtures.audit_data.corpus import Case, Corpus, cases, week_of_hours
from harness.audit.data_audit import audit_data
from harness.audit.data_survey import rules_alone
from harness.audit.data_table import opened
from harness.audit.finding import Severity
from harness.contract.profile import load_profile

if TYPE_CHECKING:
    from pathlib import Path

    from harness.audit.finding import Audit

pytestmark = pytest.mark.detection

CASES = cases()
PROFILE = load_profile()
NOW_NS = time.time_ns()


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
    for name in PROFILE.window.of_kind("timestamp"):
        frame[name] = pd.to_datetime(frame[name])
    corpus = Corpus(end_s=int(time.time()))
    corpus.connection.register("frame", frame)
    corpus.connection.sql("FROM frame").write_parquet(str(tmp_path / "weeks.parquet"))
    audit = audit_data([tmp_path / "weeks.parquet"], PROFILE)
    assert blocking(audit) == set()


def test_files_are_one_series_in_the_order_given_whatever_their_kinds(corpus: Corpus, tmp_path: Path) -> None:
    early = corpus.write(Case(name="early", finds="", severity="", keep="i <= 15000", suffix="csv"), tmp_path)
    late = corpus.write(Case(name="late", finds="", severity="", keep="i > 15000"), tmp_path)
    whole = corpus.write(Case(name="whole", finds="", severity=""), tmp_path)
    joined, turned = (audit_data(files, PROFILE, now_ns=NOW_NS) for files in ([early, late], [late, early]))
    assert figures(joined) == pytest.approx(figures(audit_data([whole], PROFILE, now_ns=NOW_NS)), nan_ok=True)
    (broken,) = [finding for finding in turned.findings if finding.id == "order.broken"]
    assert broken.numbers["steps_back"] == 1


def is_regular(paths: list[Path]) -> bool:
    with opened(paths, PROFILE.window) as table:
        assert rules_alone(table).by_rule == {}
        return table.order.is_regular


def test_seconds_that_follow_each_other_are_seen_to_over_files_and_beside_columns_of_any_name(
    corpus: Corpus, tmp_path: Path
) -> None:
    early, late, text, shuffled = (
        corpus.write(Case(name=name, finds="", severity="", base="dense", **made), tmp_path)  # type: ignore[arg-type]  # each has its own
        for name, made in {
            "early": {"keep": "i <= 40000"},
            "late": {"keep": "i > 40000"},
            "text": {"keep": "i > 40000", "suffix": "csv"},
            "shuffled": {"order": "hash(i)", "add": {"file_row_number": "i"}},
        }.items()
    )
    assert is_regular([early, late])
    assert is_regular([early, text])
    assert not is_regular([late, early])
    assert not is_regular([early, early])
    assert not is_regular([shuffled])


def figures(audit: Audit) -> dict[str, float]:
    return {
        f"{finding.id} {name}": number
        for finding in audit.findings
        for name, number in finding.numbers.items()
        if isinstance(number, float | int)
    }


def test_packed_csv_and_text_in_parquet_are_read_as_csv_is(corpus: Corpus, tmp_path: Path) -> None:
    plain = corpus.write(Case(name="plain", finds="", severity="", suffix="csv"), tmp_path)
    packed, texts = tmp_path / "packed.csv.gz", tmp_path / "texts.parquet"
    packed.write_bytes(gzip.compress(plain.read_bytes(), compresslevel=1))
    corpus.connection.sql(f"FROM read_csv('{plain}', all_varchar = true)").write_parquet(str(texts))
    found = [figures(audit_data([path], PROFILE, now_ns=NOW_NS)) for path in (plain, packed, texts)]
    assert found[0] == pytest.approx(found[1])
    assert found[0] == pytest.approx(found[2])


def test_names_come_from_the_profile_and_are_no_part_of_a_query(corpus: Corpus, tmp_path: Path) -> None:
    named = {name: f'x "{place}" o\'{name}' for place, name in enumerate(PROFILE.window.fields)}
    fields = {named[name]: field for name, field in PROFILE.window.fields.items()}
    relations = tuple(f"{named[lower]} <= {named[upper]}" for lower, upper in PROFILE.window.ordered)
    window = dataclasses.replace(PROFILE.window, fields=fields, relations=relations)
    path = corpus.write(Case(name="good", finds="", severity=""), tmp_path)
    renamed = pd.DataFrame(corpus.connection.sql(f"FROM '{path}'").df()).rename(columns=named)
    corpus.connection.register("renamed", renamed)
    corpus.connection.sql("FROM renamed").write_parquet(str(tmp_path / "renamed.parquet"))
    audit = audit_data([tmp_path / "renamed.parquet"], dataclasses.replace(PROFILE, window=window))
    assert blocking(audit) == set()
    assert any('x "8" o\'volume_traded' in finding.says for finding in audit.findings)


def test_todays_price_is_held_against_the_range(corpus: Corpus, tmp_path: Path) -> None:
    path = corpus.write(Case(name="good", finds="", severity=""), tmp_path)
    assert "range.today" in blocking(audit_data([path], PROFILE, price_now=95_000.0))
    assert "range.today" not in blocking(audit_data([path], PROFILE, price_now=30_000.0))


def test_a_broken_row_is_shown_with_its_number_and_values(corpus: Corpus, tmp_path: Path) -> None:
    (case,) = [case for case in CASES if case.name == "words_for_numbers"]
    audit = audit_data([corpus.write(case, tmp_path)], PROFILE)
    (found,) = [finding for finding in audit.findings if finding.id == "rules.D2"]
    assert found.numbers["example_1"] == "row 50: volume_traded is no number (volume_traded = none)"
    assert "volume_traded is no number in 576" in found.says


def test_nothing_of_an_audit_stays_behind(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    path = corpus.write(Case(name="good", finds="", severity="", suffix="csv", order="-i"), tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    audit_data([path], PROFILE)
    assert list(temporary.iterdir()) == []
