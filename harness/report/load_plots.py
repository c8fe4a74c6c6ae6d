"""What a load measurement looks like: latency over time, the percentile curve, rates, and the search's staircase."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from harness.contract.judge import OK
from harness.contract.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from harness.load.judge import LoadJudgement
    from harness.load.record import Attempt, LoadRecord
    from harness.load.search import Staircase

_SIZE_INCHES = (11.0, 8.4)
_STAIRS_INCHES = (11.0, 4.2)
_DPI = 110
_RIGHT, _BAD, _OFFERED, _LIMIT = "#0072B2", "#D55E00", "#999999", "#D55E00"
_PERCENTILES = (0.0, 50.0, 90.0, 99.0, 99.9, 99.99)
_FLOOR_S = 1e-4
_COLOURS = {Verdict.PASSED: "#009E73", Verdict.FAILED: "#D55E00", Verdict.UNKNOWN: "#E69F00"}


def draw(record: LoadRecord, judgement: LoadJudgement, path: Path) -> Path:
    """Draw one measurement as PNG or SVG by the path's suffix; return the path."""
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    over_time, percentiles, rates = figure.subplots(3, 1, height_ratios=[2, 2, 1])
    _over_time(over_time, record)
    _percentile_curve(percentiles, record)
    _rates(rates, record)
    title = f"{record.plan.rate_per_s:g} requests/s at {record.plan.url}: {judgement.verdict.value}"
    figure.suptitle(title, fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI)
    return path


def draw_staircase(staircase: Staircase, path: Path) -> Path:
    """Draw the steps of a search in their order; return the path."""
    figure = Figure(figsize=_STAIRS_INCHES, layout="constrained")
    axes = figure.subplots()
    for number, step in enumerate(staircase.steps, start=1):
        axes.bar(number, step.rate_per_s, color=_COLOURS[step.verdict], width=0.85)
        text, place = f"p99 {step.p99_s * 1000:.0f} ms", (number, step.rate_per_s)
        axes.annotate(text, place, ha="center", va="bottom", fontsize=8)
    axes.set_xticks(range(1, len(staircase.steps) + 1))
    axes.set_xlabel("step")
    axes.set_ylabel("requests/s tried")
    found = "none was kept" if staircase.highest_per_s is None else f"{staircase.highest_per_s:.0f} requests/s"
    axes.set_title(f"the highest rate within the budget: {found}", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI)
    return path


def _over_time(axes: Axes, record: LoadRecord) -> None:
    counted = record.of_kind("invocation")
    _scatter(axes, [one for one in counted if one.status == OK], _RIGHT, "o", "200")
    _scatter(axes, [one for one in counted if one.status != OK], _BAD, "x", "anything else")
    warm_up = record.plan.profile.load.warm_up_s
    _scatter(axes, record.of_kind("invocation", warm_up=True), _OFFERED, ".", "warm-up, not counted")
    axes.axvline(warm_up, color=_OFFERED, linewidth=1)
    axes.axhline(record.plan.profile.http.budget_s, color=_LIMIT, linestyle="--", linewidth=1, label="budget")
    axes.set_yscale("log")
    axes.set_ylabel("latency from the\ndue moment, s")
    axes.set_xlabel("due, seconds since the start")
    _finish(axes)


def _scatter(axes: Axes, attempts: Sequence[Attempt], colour: str, shape: str, label: str) -> None:
    if attempts:
        latencies = [max(one.latency_s, _FLOOR_S) for one in attempts]
        text = f"{label} ({len(attempts)})"
        axes.scatter([one.due_s for one in attempts], latencies, s=9, c=colour, marker=shape, label=text)


def _percentile_curve(axes: Axes, record: LoadRecord) -> None:
    """Draw latency against percentile; the axis is log(1 / (1 - share)), so that each nine has the same room."""
    ordered = sorted(max(one.latency_s, _FLOOR_S) for one in record.of_kind("invocation"))
    count = len(ordered)
    axes.step([count / (count - rank) for rank in range(count)], ordered, where="post", color=_RIGHT)
    axes.axhline(record.plan.profile.http.budget_s, color=_LIMIT, linestyle="--", linewidth=1, label="budget")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(1, 1e4)
    axes.xaxis.set_major_locator(FixedLocator([100 / (100 - percent) for percent in _PERCENTILES]))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda odds, _: f"{100 - 100 / odds:g} %"))
    axes.set_xlabel("percentile of all requests, whatever became of them")
    axes.set_ylabel("latency, s")
    _finish(axes)


def _rates(axes: Axes, record: LoadRecord) -> None:
    attempts = (*record.of_kind("invocation", warm_up=True), *record.of_kind("invocation"))
    offered = Counter(int(one.due_s) for one in attempts)
    answered = Counter(int(one.ended_s) for one in attempts if one.status == OK)
    seconds = range(int(max(offered, default=0)) + 1)
    axes.step(seconds, [offered[second] for second in seconds], where="post", color=_OFFERED, label="offered")
    axes.step(seconds, [answered[second] for second in seconds], where="post", color=_RIGHT, label="answered with 200")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("requests/s")
    axes.set_xlabel("seconds since the start")
    _finish(axes)


def _finish(axes: Axes) -> None:
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
