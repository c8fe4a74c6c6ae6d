"""The bench: what it counts as waiting, what it keeps of a row, and where it writes."""

import json
import re
import time
from pathlib import Path

import pytest

from harness.contract.verdict import Verdict
from tests.bench import table
from tests.bench.__main__ import ROWS, main, within
from tests.bench.audit import rules_line
from tests.bench.endpoint import added_line, kept_line
from tests.bench.row import Line, spread
from tests.bench.serving import judge_step
from tests.bench.waits import covered_s
from tests.bench.wrk import Closed, WrkFailed, read
from tests.unit.test_load_judge import PLAN, invocation, record

LINE = Line(measured="speed", ours="1 s", beside="a peer 3 s", ratio="3", goal="2", kept=True)


def test_what_is_waited_for_at_once_counts_once() -> None:
    assert covered_s([(5, 6), (0, 2), (1, 3), (1.5, 1.6)]) == 4
    assert covered_s([]) == 0


def test_a_spread_is_told_as_median_least_and_most() -> None:
    assert str(spread([3.0, 1.0, 2.5])) == "2.5 (1 to 3)"


@pytest.fixture
def readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a README with the markers, and no results yet."""
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- bench: begin -->\nwhat was\n<!-- bench: end -->\nafter\n")
    monkeypatch.setattr(table, "README", path)
    monkeypatch.setattr(table, "RESULTS", tmp_path / "results")
    return path


def test_what_a_row_measured_stands_in_the_readme_until_it_is_measured_again(readme: Path) -> None:
    for measured in ("once", "twice"):
        table.keep(ROWS[0], [LINE])
        table.keep(ROWS[1], [Line(measured=measured, ours="", beside="", ratio="", kept=False)])
        table.write(ROWS)
    text = readme.read_text()
    assert "| speed | 1 s | a peer 3 s | 3 | 2 | yes |" in text
    assert "| twice |" in text
    assert "| once |" not in text
    assert "what was" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert re.findall(r"^- \*(.+)\*:", text, flags=re.MULTILINE) == [ROWS[0].name, ROWS[1].name]


def test_the_projects_readme_has_a_place_for_it() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text()
    assert text.count("<!-- bench: begin -->\n") == text.count("<!-- bench: end -->") == 1


def test_all_rows_together_stay_under_20_minutes() -> None:
    assert sum(row.budget_s for row in ROWS) <= 1_200


def test_the_rules_are_told_beside_both_peers() -> None:
    line = rules_line("CSV", [0.1, 0.2, 0.1], [1.0, 1.0, 0.9], [0.4, 0.6, 0.45])
    assert line.ratio == "9 (5 to 10) and 4 (3 to 4.5) times"
    assert line.kept is False


def test_the_router_is_told_beside_the_containers_themselves() -> None:
    added = added_line([(0.003, 0.002), (0.0035, 0.002), (0.0045, 0.002)])
    assert (added.ours, added.ratio, added.kept) == ("3.50 ms", "1.5 (1 to 2.5) ms more", True)
    assert added_line([(0.0041, 0.002)]).kept is False
    kept = kept_line([(700.0, 750.0)])
    assert (kept.ours, kept.beside, kept.kept) == ("700", "HAProxy 750", True)
    assert kept_line([(89.0, 100.0)]).kept is False


def test_a_row_that_nobody_knows_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no such row"]) == 4
    assert ROWS[0].name in capsys.readouterr().out


def test_a_row_that_lasts_too_long_is_ended() -> None:
    with pytest.raises(TimeoutError, match="within 1 s"), within(1):
        time.sleep(5)


def test_wrk_counts_only_where_nothing_failed() -> None:
    counted = {"requests": 30, "duration_s": 3.0, "errors": 0, "p50_s": 0.01, "p99_s": 0.02}
    told = f"Running\n{json.dumps(counted)}\n"
    assert read(told, 0) == Closed(rate_per_s=10.0, p50_s=0.01, p99_s=0.02)
    with pytest.raises(WrkFailed, match="1 failed"):
        read(told.replace('"errors": 0', '"errors": 1'), 0)
    with pytest.raises(WrkFailed, match="exit status 1"):
        read("unable to connect", 1)


def test_a_rate_is_kept_where_all_is_answered_within_the_p99() -> None:
    count = round(PLAN.rate_per_s * PLAN.duration_s)
    late = [invocation(index, latency_s=0.2) for index in range(count // 50)]
    assert judge_step(record()).verdict is Verdict.PASSED
    assert judge_step(record(*late)).verdict is Verdict.FAILED
    assert judge_step(record(invocation(3, status=503))).verdict is Verdict.FAILED


def test_a_rate_at_which_the_generator_lags_is_not_told() -> None:
    count = round(PLAN.rate_per_s * PLAN.duration_s)
    lagging = [invocation(index, started_s=2.05 + index / PLAN.rate_per_s) for index in range(count)]
    assert judge_step(record(*lagging)).verdict is Verdict.UNKNOWN
