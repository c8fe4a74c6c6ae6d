"""What a soak looks like: latency lap by lap, what was served, and what generator and container held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from harness.report.plot_style import BLACK, BLUE, FLOOR_S, GREY, PURPLE, VERMILION, finish, latency_axis, save

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from harness.load.finding import LoadJudgement
    from harness.load.laps import Lap, Soak
    from harness.load.plan import Plan

_SIZE_INCHES = (11.0, 9.0)
_MIB = 1 << 20
# The axis counts in the largest unit of which there are so many.
_UNITS = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
_LEAST_OF_A_UNIT = 3


def draw_soak(plan: Plan, soak: Soak, judgement: LoadJudgement, path: Path) -> Path:
    """Draw all laps as PNG or SVG by the path's suffix; return the path."""
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    latency, rates, memory = figure.subplots(3, 1, sharex=True, height_ratios=[2, 1, 1])
    unit = next((name for name, size_s in _UNITS.items() if plan.duration_s >= _LEAST_OF_A_UNIT * size_s), "seconds")
    _latency(latency, soak.laps, plan.profile.http.budget_s, _UNITS[unit])
    _rates(rates, soak.laps, _UNITS[unit])
    _memory(memory, soak, _UNITS[unit])
    memory.set_xlabel(f"{unit} since the start")
    told = f"{plan.rate_per_s:g} requests/s at {plan.url} for {plan.duration_s / _UNITS[unit]:.3g} {unit}"
    figure.suptitle(f"{judgement.verdict.value}: {told}", fontsize=11)
    return save(figure, path)


def _latency(axes: Axes, laps: Sequence[Lap], budget_s: float, unit_s: float) -> None:
    each = [lap.judgement.figures.latencies for lap in laps]
    lines = {
        "longest": ([one.longest_s for one in each], VERMILION, "v"),
        "p99": ([one.p99_s for one in each], PURPLE, "s"),
        "p50": ([one.p50_s for one in each], BLUE, "o"),
    }
    for label, (values, colour, shape) in lines.items():
        shown = [max(value, FLOOR_S) for value in values]
        axes.plot(_middles(laps, unit_s), shown, marker=shape, markersize=3, linewidth=1, color=colour, label=label)
    for lap in laps:
        if not lap.counts:
            axes.axvspan(lap.begin_s / unit_s, lap.end_s / unit_s, color=GREY, alpha=0.25, linewidth=0)
    latency_axis(axes, budget_s)
    finish(axes, "Each lap (grey: our own side was not well, it does not count)")


def _rates(axes: Axes, laps: Sequence[Lap], unit_s: float) -> None:
    each = [lap.judgement.figures for lap in laps]
    edges = [lap.begin_s / unit_s for lap in laps] + [laps[-1].end_s / unit_s]
    axes.stairs([one.offered_per_s for one in each], edges, color=GREY, linewidth=1.8, label="offered")
    axes.stairs([one.achieved_per_s for one in each], edges, color=BLUE, linewidth=1.2, label="served")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("requests/s")
    finish(axes, "Served against offered")


def _memory(axes: Axes, soak: Soak, unit_s: float) -> None:
    held = [lap.memory_bytes / _MIB for lap in soak.laps]
    axes.plot(_middles(soak.laps, unit_s), held, color=GREY, linewidth=1, label="the generator")
    if soak.samples:
        ends = [lap.end_s / unit_s for lap in soak.laps][: len(soak.samples)]
        seen = [sample.memory_bytes / _MIB for sample in soak.samples]
        axes.plot(ends, seen, color=BLACK, linewidth=1, marker="o", markersize=3, label="the container")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("MiB")
    finish(axes, "Memory")


def _middles(laps: Sequence[Lap], unit_s: float) -> list[float]:
    return [lap.middle_s / unit_s for lap in laps]
