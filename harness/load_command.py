"""`harness load`: one rate, a search, a soak, a page to steer by hand, a worker's part; figures and a verdict."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.contract.tables import ProfileInvalid
from harness.load.judge import judge_load
from harness.load.run import MeasurementFailed
from harness.load.search import Staircase, length_s, search, settled, step_of
from harness.load_setting import Setting, opened, read_promise
from harness.page_command import run_page
from harness.report.load_plots import draw
from harness.report.staircase_plot import draw_staircase
from harness.soak_command import run_soak
from harness.system import NotSetUp
from harness.system.client import NoAnswer
from harness.system.container import CannotStart, SutLost
from harness.system.history import HistoryInvalid
from harness.system.waiting import WaitedInVain
from harness.worker_command import run_worker

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from harness.load.search import Step

_UNKNOWN, _WRONG_USAGE = 2, 4
_STEP_LEAST_S = 8.0
_START_PER_S = 20.0
_LOOPBACK = "127."
_OURS = (NotSetUp, CannotStart, MeasurementFailed)
_THEIRS = (SutLost, WaitedInVain, NoAnswer)


def run_load(chosen: argparse.Namespace) -> int:
    """Load, and return the verdict's exit status; a search that found a rate ends with 0."""
    if chosen.worker:
        return run_worker(chosen)
    nonsense = _nonsense(chosen)
    if nonsense:
        _say(f"harness: {nonsense}")
        return _WRONG_USAGE
    try:
        asked = read_promise(chosen)
    except (ProfileInvalid, HistoryInvalid, OSError) as error:
        _say(f"harness: {error}")
        return _WRONG_USAGE
    try:
        with opened(asked, _quiet if chosen.format == "json" else _say) as setting:
            return _way(chosen)(setting)
    except _OURS as error:
        _say(f"UNKNOWN: {error}")
        return _UNKNOWN
    except _THEIRS as error:
        _say(f"FAILED: {error}")
        return 1


def _nonsense(chosen: argparse.Namespace) -> str:
    """Say what excludes each other; empty where nothing does."""
    if not chosen.master:
        return ""
    if chosen.search or chosen.ui:
        return "--master goes with one rate or with --soak: a search and a page steer one generator"
    if not chosen.sut_url and not chosen.master_host.startswith(_LOOPBACK):
        return "--master-host is for workers on other machines, and they need a sut that they can reach: --sut-url"
    return ""


def _way(chosen: argparse.Namespace) -> Callable[[Setting], int]:
    if chosen.ui:
        return run_page
    if chosen.soak:
        return run_soak
    return _searched if chosen.search else _once


def _once(setting: Setting) -> int:
    chosen = setting.asked.chosen
    folder: Path = chosen.report_dir
    record = setting.measure(folder, rate_per_s=chosen.rate, duration_s=chosen.duration)
    judgement = judge_load(record, setting.asked.profile)
    plot = draw(record, judgement, folder / "load" / "load.png")
    setting.say(f"{judgement}\nplot     {plot}")
    if chosen.format == "json":
        content = {"schema": 1, "verdict": judgement.verdict.value, "rate_per_s": record.plan.rate_per_s}
        _say(json.dumps(content | {"figures": asdict(judgement.figures), "plot": str(plot)}, indent=2))
    return judgement.verdict.exit_status


def _searched(setting: Setting) -> int:
    chosen = setting.asked.chosen

    def measured(rate_per_s: float, duration_s: float) -> Step:
        folder = chosen.report_dir / f"{rate_per_s:g}-per-s"
        record = setting.measure(folder, rate_per_s=rate_per_s, duration_s=duration_s)
        return step_of(record, judge_load(record, setting.asked.profile))

    def try_rate(rate_per_s: float) -> Step:
        least_s = length_s(rate_per_s, least_s=chosen.duration or _STEP_LEAST_S)
        step = settled(lambda duration_s: measured(rate_per_s, duration_s), least_s=least_s)
        setting.say(f"  {step}")
        return step

    start_per_s = min(chosen.rate or _START_PER_S, chosen.most)
    found = search(try_rate, start_per_s=start_per_s, most_per_s=chosen.most)
    plot = draw_staircase(found, chosen.report_dir / "staircase.png")
    setting.say(f"{_told(found)}\nplot     {plot}")
    if chosen.format == "json":
        _say(json.dumps({"schema": 1, **asdict(found), "plot": str(plot)}, indent=2, default=str))
    return 0 if found.highest_per_s is not None else 1


def _told(found: Staircase) -> str:
    if found.highest_per_s is None:
        return f"no rate was kept: {found.reason}"
    return f"the highest rate that was kept: {found.highest_per_s:.0f} requests/s; {found.reason}"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - printing is what a command does


def _quiet(line: str) -> None:
    """Say nothing: standard output is for JSON alone."""
