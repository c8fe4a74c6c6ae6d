"""Earlier runs: kept beside the report, few enough, and compared with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.report.comparison import compare
from harness.report.durations import Forecast, forecast, remember
from harness.report.history import FOLDER, KEPT, earlier, put_away, repository
from tests.unit.made_runs import check, conclusion, failed

if TYPE_CHECKING:
    from pathlib import Path


def verdict(started: str, name: str = "price:1", **outcomes: str) -> dict[str, Any]:
    rules = {rule_id: {"outcome": outcome, "checks": 1, "failures": []} for rule_id, outcome in outcomes.items()}
    made = {"verdict": "PASSED", "image": {"name": name, "id": "i"}, "duration_s": 1.0, "suites": {}, "rules": rules}
    return {**made, "started": started}


def put(folder: Path, found: dict[str, Any]) -> None:
    (folder / "verdict.json").write_text(json.dumps(found))
    put_away(folder)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("price", "price"),
        ("price:1.4", "price"),
        ("registry:5000/team/price", "registry:5000/team/price"),
        ("registry:5000/team/price:1.4", "registry:5000/team/price"),
        ("team/price@sha256:0123", "team/price"),
        ("https://staging.example:8443/v1", "https://staging.example:8443/v1"),
    ],
)
def test_name_of_an_image_is_without_tag_and_digest(image: str, name: str) -> None:
    assert repository(image) == name


def test_what_is_put_away_is_never_taken_for_the_next_runs(tmp_path: Path) -> None:
    failed(tmp_path)
    (tmp_path / "report.html").write_text("old")
    put_away(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chaos", FOLDER]
    (kept,) = (tmp_path / FOLDER).iterdir()
    assert "volume_traded is null" not in kept.read_text()
    assert json.loads(kept.read_text())["rules"]["D4"]["failures"] == [{"check": "dq/a.py::test_breach[D4]"}]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"verdict": "UNKNOWN", "image": {"name": null}}', "not JSON"])
def test_what_is_no_verdict_is_not_kept(text: str, tmp_path: Path) -> None:
    (tmp_path / "verdict.json").write_text(text)
    put_away(tmp_path)
    assert not list(tmp_path.rglob("*.json"))


def test_history_is_bounded(tmp_path: Path) -> None:
    for number in range(KEPT + 3):
        put(tmp_path, verdict(f"2026-11-25T02:00:{number:02d}+00:00"))
    kept = sorted(path.name for path in (tmp_path / FOLDER).iterdir())
    assert len(kept) == KEPT
    assert kept[0].startswith("20261125T020003")


def test_only_runs_before_on_images_of_the_same_name_count(tmp_path: Path) -> None:
    for started, name in [("2", "price:1"), ("1", "price:2"), ("3", "other:1"), ("5", "price:3")]:
        put(tmp_path, verdict(started, name))
    found = earlier(tmp_path, verdict("4", "price:9"))
    assert [one["started"] for one in found] == ["2", "1"]


def test_what_broke_recovered_and_stays_broken() -> None:
    now = verdict("4", C1="failed", C2="passed", C3="failed", C4="not_run", C5="passed")
    before = verdict("3", C1="passed", C2="failed", C3="failed", C4="passed", C5="passed")
    older = [verdict("2", C3="not_run"), verdict("1", C3="failed"), verdict("0", C3="passed")]
    found = compare(now, [before, *older])
    assert found is not None
    assert (found.broke, found.recovered, found.no_longer_checked) == (("C1",), ("C2",), ("C4",))
    ((rule, runs, since),) = [(still.rule, still.runs, still.since) for still in found.still]
    assert (rule, runs, since) == ("C3", 3, "1")
    assert found.is_same_image


def test_first_run_is_compared_with_nothing() -> None:
    assert compare(verdict("1"), []) is None


def test_time_left_is_what_the_checks_took_before(tmp_path: Path) -> None:
    remember(conclusion(check("passed", name="a.py::one", duration_s=4.0)).results, tmp_path)
    remember(conclusion(check("passed", name="a.py::two", duration_s=2.0)).results, tmp_path)
    expected = forecast(tmp_path)
    assert expected.left_s(["a.py::one", "a.py::two"], spent_s=1.0) == pytest.approx(5.0)
    assert expected.left_s(["a.py::one", "a.py::two"], spent_s=9.0) == pytest.approx(2.0)
    assert expected.left_s(["a.py::new"]) == pytest.approx(3.0)
    assert expected.left_s(["b.py::new"]) is None
    assert expected.left_s([]) == 0


def test_broken_durations_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / "durations.json").write_text("[1")
    assert forecast(tmp_path) == Forecast(checks={}, files={})
