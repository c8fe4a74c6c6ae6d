"""How the plots of load look: colours that the colour-blind tell apart, times as people say them, one budget line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from harness.contract.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette.
BLUE, VERMILION, PURPLE, GREEN, ORANGE = "#0072B2", "#D55E00", "#CC79A7", "#009E73", "#E69F00"
GREY, BLACK = "#999999", "#000000"
COLOURS = {Verdict.PASSED: GREEN, Verdict.FAILED: VERMILION, Verdict.UNKNOWN: ORANGE}
# Beside the colour: what is printed in black and white differs too.
HATCHES = {Verdict.PASSED: "", Verdict.FAILED: "//", Verdict.UNKNOWN: ".."}
_DPI = 110
# What a logarithmic axis can show.
FLOOR_S = 1e-4


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG or SVG, by the path's suffix; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI)
    return path


def latency_axis(axes: Axes, budget_s: float) -> None:
    """Make the vertical axis one of latency, logarithmic, with the budget on it."""
    axes.axhline(budget_s, color=BLACK, linestyle="--", linewidth=1, label=f"budget, {time_of(budget_s)}")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(base=10))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: time_of(seconds)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("latency from the due moment")


def titled(axes: Axes, title: str) -> None:
    """Set title and grid."""
    axes.set_title(title, fontsize=10, loc="left")
    axes.grid(visible=True, alpha=0.3)
    axes.set_axisbelow(True)


def finish(axes: Axes, title: str) -> None:
    """Set title, grid and legend, this one beside the axes."""
    titled(axes, title)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)


def time_of(seconds: float) -> str:
    """Write a time in the unit that suits it."""
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"
