"""The audit of data: how fast, and in how much memory, beside pandera and Great Expectations on the same rules."""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures.audit_data.corpus import Corpus, cases
from harness.contract.profile import load_profile
from harness.system.command import last_lines, run
from tests.bench import peers, year
from tests.bench.row import Line, Row, spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MONTH_ROWS, YEAR_ROWS, RULE_ROWS = 3_150_000, 31_500_000, 1_000_000
ROUNDS = 5
_LEAST_ROWS_PER_S, _MOST_MB, _MOST_TIMES, _GOAL = 3e6, 2_000.0, 10.0, 5.0
_BUDGET_S = 120.0
# Each breaks a rule that all three ways check.
_BROKEN = (
    "rows_come_twice",
    "silent_seconds_left_out",
    "newest_first",
    "half_trades",
    "low_above_high",
    "negative_volume",
    "empty_cells",
    "trade_after_the_end",
    "prices_in_another_unit",
    "times_with_a_blank",
    "times_of_another_zone",
)
# One row in 200 is bad, each in one of these ways.
_SPOILT = "Parquet with 5,000 bad rows"
_SPOILS = {
    "price_low": "price_high + 1",
    "volume_traded": "-volume_traded",
    "trades_count": "trades_count + 0.5",
    "time_close": "time_close + INTERVAL 1 SECOND",
    "price_open": "price_open / 100000",
}
HOW = (
    f"`harness audit data` as a process of its own, on all cores, on {YEAR_ROWS / 1e6:g} and {MONTH_ROWS / 1e6:g} "
    f"million generated seconds in Parquet, files of ten days. The data rules alone, on {RULE_ROWS / 1e6:g} million "
    f"rows in one file: {ROUNDS} rounds, each reading it anew, with all that is opened and closed for it; "
    "pandera and Great Expectations judge a frame that pandas read, by a schema and a suite made beforehand. Before "
    f"that all three count the same bad rows by each rule, in these files and in {len(_BROKEN)} broken ones"
)


def run_all() -> list[Line]:
    """Measure the audit at two sizes, then the rules beside the peers."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = (_audited(_made(rows, Path(folder) / f"{rows}"), rows) for rows in (MONTH_ROWS, YEAR_ROWS))
        return [_speed(small, large), _memory(small, large), *_rules(Path(folder))]


def _made(rows: int, folder: Path) -> list[Path]:
    """Make rows in a process of its own: what this one holds would count as the peak of those that it starts."""
    ended = run([sys.executable, "-m", "tests.bench.year", str(rows), str(folder)], budget_s=_BUDGET_S)
    if ended.returncode != 0:
        raise RuntimeError(last_lines(ended.stdout))
    return sorted(folder.iterdir())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Audited:
    """What one audit took: rows, seconds from start to end of its process, and its peak memory in MB."""

    rows: int
    took_s: float
    peak_mb: float


def _audited(paths: Sequence[Path], rows: int) -> _Audited:
    began_s = time.perf_counter()
    command = [sys.executable, "-m", "harness.cli", "audit", "data", *map(str, paths), "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        msg = f"the audit of {rows:,} rows ended with {process.returncode}"
        raise RuntimeError(msg)
    return _Audited(rows=rows, took_s=time.perf_counter() - began_s, peak_mb=usage.ru_maxrss * 1024 / 1e6)


def _rule_files(folder: Path) -> dict[str, Path]:
    """Write what the rules are measured on, by what it is called."""
    import duckdb  # noqa: PLC0415 - for this alone

    days = [str(path) for path in year.make(RULE_ROWS, folder / "rules", gaps=False)]
    files = {"Parquet": folder / "good.parquet", _SPOILT: folder / "spoilt.parquet", "CSV": folder / "good.csv"}
    names = load_profile().window.of_kind("timestamp")
    times = ", ".join(f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%nZ') AS {name}" for name in names)
    changes = ", ".join(
        f"CASE WHEN place % 1000 = {200 * kind} THEN {made} ELSE {name} END AS {name}"
        for kind, (name, made) in enumerate(_SPOILS.items())
    )
    with duckdb.connect() as connection:
        connection.read_parquet(days).write_parquet(str(files["Parquet"]))
        good = connection.read_parquet(str(files["Parquet"]))
        good.project(f"* REPLACE ({times})").write_csv(str(files["CSV"]))
        numbered = good.project("*, row_number() OVER () AS place")
        numbered.project(f"* EXCLUDE (place) REPLACE ({changes})").write_parquet(str(files[_SPOILT]))
    return files


def _rules(folder: Path) -> Iterator[Line]:
    files, corpus = _rule_files(folder), Corpus(end_s=int(time.time()))
    broken = [corpus.write(dataclasses.replace(case, base="dense"), folder) for case in cases() if case.name in _BROKEN]
    arguments = [str(ROUNDS), str(len(files)), *map(str, [*files.values(), *broken])]
    ours = _said([sys.executable, "-m", "tests.bench.rule_times", *arguments])
    theirs = _said([str(peers.frames_python()), str(peers.HERE / "frame_peers.py"), *arguments])
    _check_alike({"ours": ours["bad"], **theirs["bad"]}, [path.name for path in [*files.values(), *broken]])
    took_s = {"ours": ours["took_s"], **theirs["took_s"]}
    for place, kind in enumerate(files):
        yield rules_line(kind, *([one[place] for one in rounds] for rounds in took_s.values()))


def _check_alike(bad: Mapping[str, Sequence[Mapping[str, int]]], names: Sequence[str]) -> None:
    """Raise where the ways do not count the same bad rows, or the good files have some and the broken ones none."""
    for place, name in enumerate(names):
        counts = {way: found[place] for way, found in bad.items()}
        is_alike = all(found == counts["ours"] for found in counts.values())
        if not is_alike or bool(counts["ours"]) == name.startswith("good."):
            raise AssertionError(name, counts)


def _said(command: Sequence[str]) -> Any:  # noqa: ANN401 - JSON
    ended = run(command, budget_s=_BUDGET_S)
    if ended.returncode != 0:
        raise RuntimeError(last_lines(ended.stdout))
    return json.loads(ended.stdout.splitlines()[-1])


def _speed(small: _Audited, large: _Audited) -> Line:
    per_s, times = large.rows / large.took_s, large.took_s / small.took_s
    return Line(
        measured=f"audit of {large.rows / 1e6:g} million rows",
        ours=f"{large.took_s:.1f} s: {per_s / 1e6:.2f} million rows/s",
        beside=f"{small.rows / 1e6:g} million: {small.took_s:.1f} s",
        ratio=f"{times:.1f} times",
        goal=f"{_LEAST_ROWS_PER_S / 1e6:g} million rows/s; at most {_MOST_TIMES:g} times",
        kept=per_s >= _LEAST_ROWS_PER_S and times <= _MOST_TIMES,
    )


def _memory(small: _Audited, large: _Audited) -> Line:
    return Line(
        measured="audit: peak memory",
        ours=f"{large.peak_mb:.0f} MB",
        beside=f"{small.rows / 1e6:g} million rows: {small.peak_mb:.0f} MB",
        ratio=f"{large.peak_mb / small.peak_mb:.2f} times",
        goal=f"{_MOST_MB:g} MB",
        kept=large.peak_mb <= _MOST_MB,
    )


def rules_line(kind: str, ours_s: Sequence[float], pandera_s: Sequence[float], expectations_s: Sequence[float]) -> Line:
    """Return the line of the rules on a kind of file beside both peers, round by round."""
    to_pandera = spread([one / other for one, other in zip(pandera_s, ours_s, strict=True)])
    to_expectations = spread([one / other for one, other in zip(expectations_s, ours_s, strict=True)])
    medians = [statistics.median(one) for one in (ours_s, pandera_s, expectations_s)]
    return Line(
        measured=f"data rules on {RULE_ROWS / 1e6:g} million rows, {kind}",
        ours=f"{medians[0]:.2f} s",
        beside=f"pandera {medians[1]:.2f} s, Great Expectations {medians[2]:.2f} s",
        ratio=f"{to_pandera} and {to_expectations} times",
        goal=f"{_GOAL:g} times both",
        kept=min(to_pandera.median, to_expectations.median) >= _GOAL,
    )


ROW = Row(name="audit", how=HOW, budget_s=180, run=run_all)
