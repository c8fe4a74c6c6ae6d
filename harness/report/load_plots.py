"""What one measurement looks like: latency over time, as a percentile curve, and the rates offered and served."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from harness.contract.judge import OK
from harness.load.figures import is_served
from harness.load.share import percentile
from harness.report.plot_style import BLACK, BLUE, FLOOR_S, GREY, PURPLE, VERMILION, finish, latency_axis, save, time_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from harness.load.finding import LoadJudgement
    from harness.load.record import Attempt, LoadRecord

_SIZE_INCHES = (11.0, 9.0)
_PERCENTILES = (0.0, 50.0, 90.0, 99.0, 99.9, 99.99)
_MARKED = (50.0, 99.0, 99.9)


def draw(record: LoadRecord, judgement: LoadJudgement, path: Path) -> Path:
    """Draw one measurement as PNG or SVG by the path's suffix; return the path."""
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    over_time, rates, percentiles = figure.subplots(3, 1, height_ratios=[2, 1, 2])
    over_time.sharex(rates)
    _over_time(over_time, record)
    _rates(rates, record)
    _percentile_curve(percentiles, record)
    over = judgement.over_budget
    proven = f"{over.observed:.2%} late or wrong (95 % sure: {over.lower:.2%} to {over.upper:.2%})"
    plan = record.plan
    figure.suptitle(f"{judgement.verdict.value}: {plan.rate_per_s:g} requests/s at {plan.url}, {proven}", fontsize=11)
    return save(figure, path)


def _over_time(axes: Axes, record: LoadRecord) -> None:
    counted = record.of_kind("invocation")
    _scatter(axes, [one for one in counted if one.status == OK], BLUE, "o", "answered with 200")
    _scatter(axes, [one for one in counted if one.status != OK], VERMILION, "x", "anything else")
    _scatter(axes, record.of_kind("broken"), PURPLE, "+", "broken on purpose")
    _scatter(axes, record.of_kind("invocation", warm_up=True), GREY, ".", "warm-up, not counted")
    axes.axvspan(0, record.begin_s, color=GREY, alpha=0.15, linewidth=0)
    latency_axis(axes, record.plan.profile.http.budget_s)
    axes.tick_params(labelbottom=False)
    finish(axes, "Each request, where it was due")


def _scatter(axes: Axes, attempts: Sequence[Attempt], colour: str, shape: str, label: str) -> None:
    if attempts:
        latencies = [max(one.latency_s, FLOOR_S) for one in attempts]
        size = 9 if shape in "o." else 22
        text = f"{label} ({len(attempts)})"
        axes.scatter(
            [one.due_s for one in attempts], latencies, s=size, c=colour, marker=shape, linewidths=1, label=text
        )


def _rates(axes: Axes, record: LoadRecord) -> None:
    sent = [one for one in record.attempts if one.kind != "ping"]
    offered = Counter(int(one.due_s) for one in sent)
    served = Counter(int(one.ended_s) for one in sent if is_served(one))
    # A second that is only begun has no rate.
    edges = range(int(record.end_s) + 1)
    for counts, colour, label in ((offered, GREY, "offered"), (served, BLUE, "served")):
        heights = [counts[second] for second in edges[:-1]]
        axes.stairs(heights, list(edges), color=colour, linewidth=1.8 if counts is offered else 1.2, label=label)
    axes.axvspan(0, record.begin_s, color=GREY, alpha=0.15, linewidth=0)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("requests/s")
    axes.set_xlabel("seconds since the start")
    finish(axes, "Served against offered, each second")


def _percentile_curve(axes: Axes, record: LoadRecord) -> None:
    """Draw latency against percentile; the axis is log(1 / (1 - share)), so that each nine has the same room."""
    ordered = sorted(max(one.latency_s, FLOOR_S) for one in record.of_kind("invocation"))
    count, load = len(ordered), record.plan.profile.load
    axes.step([count / (count - rank) for rank in range(count)], ordered, where="post", color=BLUE, label="measured")
    for percent in _MARKED if ordered else ():
        found_s, place = percentile(ordered, percent / 100), 100 / (100 - percent)
        axes.plot(place, found_s, "o", color=BLUE, markersize=4)
        text = f"p{percent:g} {time_of(float(f'{found_s:.3g}'))}"
        axes.annotate(text, (place, found_s), textcoords="offset points", xytext=(6, -11), fontsize=8)
    axes.axvline(1 / load.over_budget_share, color=BLACK, linestyle=":", linewidth=1, label="must be within by here")
    latency_axis(axes, record.plan.profile.http.budget_s)
    axes.set_xscale("log")
    axes.set_xlim(1, 1e4)
    axes.xaxis.set_major_locator(FixedLocator([100 / (100 - percent) for percent in _PERCENTILES]))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda odds, _: f"{100 - 100 / odds:g} %"))
    axes.set_xlabel("share of the good requests, whatever became of them")
    finish(axes, "Percentiles, each nine with the same room")
