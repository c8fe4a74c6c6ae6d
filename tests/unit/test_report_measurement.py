"""The load measurement as a report shows it: judged again from its record, and told in words beside its curves."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from harness.load.judge import judge_load
from harness.load.record import last_line, line_of
from harness.report.measurement import measurement_of, read_measurement
from harness.report.report import write_report
from tests.unit.made_runs import check, conclusion
from tests.unit.parsed_html import parse
from tests.unit.test_load_judge import PROFILE, invocation, record

if TYPE_CHECKING:
    from pathlib import Path

    from harness.load.record import LoadRecord

HUNG = tuple(invocation(index, latency_s=15, outcome="timed out", status=None, body="") for index in range(30))
STARTED = "2026-11-25T02:04:45+00:00"


def leave(folder: Path, found: LoadRecord, *, later: timedelta = timedelta(seconds=30)) -> None:
    """Leave a record as a measurement does, some time after the run started."""
    (folder / "load").mkdir(parents=True)
    (folder / "load" / "plan.json").write_text(found.plan.to_json(), encoding="utf-8")
    path = folder / "load" / "record.jsonl"
    path.write_text("".join([*map(line_of, found.attempts), last_line(found.generators)]), encoding="utf-8")
    written_at = (datetime(2026, 11, 25, 2, 4, 45, tzinfo=UTC) + later).timestamp()
    os.utime(path, (written_at, written_at))


def test_figures_are_those_of_the_record() -> None:
    told = measurement_of(record(), judge_load(record(), PROFILE))
    assert (told.verdict, told.rate_per_s, told.budget_s) == ("PASSED", 20, 1)
    assert [(name, round(span_ms)) for name, span_ms in told.latencies] == [
        *(("p50", 10), ("p90", 10), ("p99", 10), ("p99.9", 10), ("max", 10))
    ]
    assert "p99 10.0 ms" in told.alt
    assert all(one.verdict == "PASSED" and not one.why for one in told.judged)


def test_what_broke_says_why() -> None:
    found = record(*HUNG)
    told = {one.subject: one for one in measurement_of(found, judge_load(found, PROFILE)).judged}
    assert told["deadline"].verdict == "FAILED"
    assert "got 30 of" in told["deadline"].why


def test_page_shows_the_curves_of_the_run(tmp_path: Path) -> None:
    leave(tmp_path, record(*HUNG))
    conclusion(check("failed", "P7", suite="load"), started=STARTED).write(tmp_path)
    found = parse(write_report(tmp_path).read_text(encoding="utf-8")).by_id("load")
    assert "20 requests/s" in found.all("h2")[0].text
    (curves,) = found.all("svg")
    assert curves.attributes["aria-label"].endswith("FAILED.")
    assert "anything else (30)" in curves.text


def test_record_of_an_earlier_run_is_not_this_runs(tmp_path: Path) -> None:
    leave(tmp_path, record(), later=timedelta(seconds=-1))
    assert read_measurement(tmp_path, {"started": STARTED}) is None


def test_record_that_is_cut_short_is_left_to_the_checks_that_made_it(tmp_path: Path) -> None:
    leave(tmp_path, record())
    path = tmp_path / "load" / "record.jsonl"
    path.write_text(path.read_text()[:500])
    assert read_measurement(tmp_path, {"started": STARTED}) is None


def test_run_without_load_has_no_measurement(tmp_path: Path) -> None:
    assert read_measurement(tmp_path, {"started": STARTED}) is None
