"""`harness load`: one rate, or the highest that keeps the budget, with figures, plots and a verdict."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.contract.tables import ProfileInvalid
from harness.load.judge import judge_load
from harness.load.run import MeasurementFailed, measure
from harness.load.search import Staircase, length_s, search, step_of
from harness.report import load_plots
from harness.system import NotSetUp
from harness.system.client import NoAnswer
from harness.system.container import CannotStart, Sut, SutLost
from harness.system.engine import ensure_engine
from harness.system.guard import begin_run
from harness.system.history import HistoryInvalid, read_history
from harness.system.reference_image import ensure_reference_image
from harness.system.waiting import WaitedInVain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.load.record import LoadRecord
    from harness.load.search import Step

    Say = Callable[[str], None]

_UNKNOWN, _WRONG_USAGE = 2, 4
_STEP_LEAST_S = 8.0
_START_PER_S = 20.0
_OURS = (NotSetUp, CannotStart, MeasurementFailed, HistoryInvalid)
_THEIRS = (SutLost, WaitedInVain, NoAnswer)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What every measurement of one command has in common."""

    chosen: argparse.Namespace
    url: str
    profile: Profile
    series: Sequence[Second] | None
    say: Say

    def measure(self, folder: Path, *, rate_per_s: float | None, duration_s: float | None, aloud: bool) -> LoadRecord:
        """Measure one rate, with its files in a folder."""
        return measure(
            self.url,
            self.profile,
            report_dir=folder,
            seed=self.chosen.seed,
            series=self.series,
            rate_per_s=rate_per_s,
            duration_s=duration_s,
            watch=(lambda progress: self.say(f"  {progress}")) if aloud else None,
        )


def run_load(chosen: argparse.Namespace) -> int:
    """Measure, and return the verdict's exit status; a search that found a rate ends with 0."""
    say = _quiet if chosen.format == "json" else _say
    try:
        profile = load_profile(chosen.sut_profile or DEFAULT_PROFILE)
        series = read_history(chosen.sut_history, profile.window) if chosen.sut_history else None
    except (ProfileInvalid, OSError) as error:
        _say(f"harness: {error}")
        return _WRONG_USAGE
    try:
        with _opened(chosen, profile, say) as url:
            bench = _Bench(chosen=chosen, url=url, profile=profile, series=series, say=say)
            return _searched(bench) if chosen.search else _once(bench)
    except _OURS as error:
        _say(f"UNKNOWN: {error}")
        return _UNKNOWN
    except _THEIRS as error:
        _say(f"FAILED: {error}")
        return 1


def _once(bench: _Bench) -> int:
    folder: Path = bench.chosen.report_dir
    record = bench.measure(folder, rate_per_s=bench.chosen.rate, duration_s=bench.chosen.duration, aloud=True)
    judgement = judge_load(record, bench.profile)
    plot = load_plots.draw(record, judgement, folder / "load" / "load.png")
    bench.say(f"{judgement}\nplot     {plot}")
    if bench.chosen.format == "json":
        content = {"schema": 1, "verdict": judgement.verdict.value, "rate_per_s": record.plan.rate_per_s}
        _say(json.dumps(content | {"figures": asdict(judgement.figures), "plot": str(plot)}, indent=2))
    return judgement.verdict.exit_status


def _searched(bench: _Bench) -> int:
    chosen = bench.chosen

    def try_rate(rate_per_s: float) -> Step:
        duration_s = length_s(rate_per_s, least_s=chosen.duration or _STEP_LEAST_S)
        folder = chosen.report_dir / f"{rate_per_s:g}-per-s"
        record = bench.measure(folder, rate_per_s=rate_per_s, duration_s=duration_s, aloud=False)
        step = step_of(record, judge_load(record, bench.profile))
        bench.say(f"  {rate_per_s:7.1f}/s {step.verdict.value:8} p99 {step.p99_s * 1000:.0f} ms {step.why}".rstrip())
        return step

    start_per_s = min(chosen.rate or _START_PER_S, chosen.most)
    found = search(try_rate, start_per_s=start_per_s, most_per_s=chosen.most)
    plot = load_plots.draw_staircase(found, chosen.report_dir / "staircase.png")
    bench.say(f"{_told(found)}\nplot     {plot}")
    if chosen.format == "json":
        _say(json.dumps({"schema": 1, **asdict(found), "plot": str(plot)}, indent=2, default=str))
    return 0 if found.highest_per_s is not None else 1


def _told(found: Staircase) -> str:
    if found.highest_per_s is None:
        return f"no rate was kept: {found.reason}"
    return f"the highest rate that was kept: {found.highest_per_s:.0f} requests/s; {found.reason}"


@contextmanager
def _opened(chosen: argparse.Namespace, profile: Profile, say: Say) -> Iterator[str]:
    """Give the URL of the sut: the one that was named, or that of a container which lives as long as this."""
    if chosen.sut_url:
        yield chosen.sut_url
        return
    engine = ensure_engine(say=say)
    image = chosen.sut_image or ensure_reference_image(engine, say=say)
    run = begin_run()
    try:
        sut = Sut(image, profile, run).start()
        say(f"{image}: ready after {sut.wait_ready():.1f} s")
        yield sut.url
    finally:
        run.end()


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - printing is what a command does


def _quiet(line: str) -> None:
    """Say nothing: standard output is for JSON alone."""
