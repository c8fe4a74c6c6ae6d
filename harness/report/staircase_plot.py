"""What a search looks like: each rate that was tried, what was served of it, and the highest that was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from harness.report.plot_style import BLACK, COLOURS, HATCHES, finish, save, time_of

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from harness.load.search import Staircase

_SIZE_INCHES = (11.0, 4.8)
# A label stays readable where a line crosses it.
_PLATE = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
_WORDS = {"PASSED": "kept", "FAILED": "not kept", "UNKNOWN": "could not be told"}


def draw_staircase(staircase: Staircase, path: Path) -> Path:
    """Draw the steps of a search in their order; return the path."""
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    axes = figure.subplots()
    _steps(axes, staircase)
    if staircase.highest_per_s is not None:
        axes.axhline(staircase.highest_per_s, color=BLACK, linestyle="--", linewidth=1, label="highest that was kept")
    axes.set_xticks(range(1, len(staircase.steps) + 1))
    axes.margins(y=0.12)
    axes.set_xlabel("step, in the order in which they were tried")
    axes.set_ylabel("requests/s")
    found = "none was kept" if staircase.highest_per_s is None else f"{staircase.highest_per_s:.0f} requests/s"
    figure.suptitle(f"The highest rate within the budget: {found}", fontsize=11)
    finish(axes, staircase.reason[:140])
    _legend(axes, staircase)
    return save(figure, path)


def _steps(axes: Axes, staircase: Staircase) -> None:
    for number, step in enumerate(staircase.steps, start=1):
        colour, hatch = COLOURS[step.verdict], HATCHES[step.verdict]
        axes.bar(number, step.rate_per_s, color=colour, hatch=hatch, edgecolor="white", width=0.85)
        told = f"{step.rate_per_s:.0f}/s\np99 {time_of(float(f'{step.p99_s:.2g}'))}"
        axes.annotate(told, (number, step.rate_per_s), ha="center", va="bottom", fontsize=8, bbox=_PLATE)
    numbers, served = range(1, len(staircase.steps) + 1), [step.achieved_per_s for step in staircase.steps]
    axes.plot(numbers, served, "_", color=BLACK, markersize=22, markeredgewidth=1.5, label="served")


def _legend(axes: Axes, staircase: Staircase) -> None:
    verdicts = sorted({step.verdict for step in staircase.steps}, key=list(COLOURS).index)
    patches = [
        Patch(facecolor=COLOURS[one], hatch=HATCHES[one], edgecolor="white", label=_WORDS[one.value])
        for one in verdicts
    ]
    lines, _ = axes.get_legend_handles_labels()
    axes.legend(handles=[*patches, *lines], loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
