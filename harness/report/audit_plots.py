"""What a data set looks like: its prices, how they move, its steps, its windows, and what a move tells of the next."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from harness.report.plot_style import BLACK, BLUE, GREY, ORANGE, VERMILION, titled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

_SIZE_INCHES = (11.0, 11.0)
_FEW = 60


def draw_data(series: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Return the drawing of an audit's series as SVG."""
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    grid = figure.add_gridspec(3, 2, height_ratios=[2, 1.3, 1.6])
    prices = figure.add_subplot(grid[0, :])
    volatility = figure.add_subplot(grid[1, :], sharex=prices)
    _prices(prices, series["hours"])
    _volatility(volatility, series["hours"])
    _steps(figure.add_subplot(grid[2, 0]), series["steps"], series["windows"])
    if "autocorrelation" in series:
        _autocorrelation(figure.add_subplot(grid[2, 1]), series["autocorrelation"])
    sheet = io.StringIO()
    figure.savefig(sheet, format="svg")
    return sheet.getvalue()


def _prices(axes: Axes, hours: Mapping[str, Sequence[float]]) -> None:
    known = [place for place, least in enumerate(hours["least"]) if least is not None]
    moments = [_day(hours["begin_s"][place]) for place in known]
    low, high = ([hours[name][place] for place in known] for name in ("least", "most"))
    # Bars, not an area: where nothing was recorded, nothing is shown.
    axes.vlines(moments, low, high, color=BLUE, linewidth=_size(known))
    axes.set_ylabel("close")
    axes.tick_params(labelbottom=False)
    titled(axes, "Closes, from the least to the most")


def _volatility(axes: Axes, hours: Mapping[str, Sequence[float]]) -> None:
    moments = [_day(second) for second in hours["begin_s"]]
    axes.plot(moments, hours["volatility_bp"], "o", color=VERMILION, markersize=_size(moments))
    axes.set_ylim(bottom=0)
    axes.set_ylabel("basis points")
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib has no types for dates
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # likewise
    titled(axes, "Standard deviation of a move from row to row")


def _size(points: Sequence[object]) -> float:
    """Return how large, in points, to draw each of so many over the width."""
    return 6.0 if len(points) <= _FEW else 2.5


def _day(second: float) -> float:
    """Return Unix time as matplotlib counts it: in days."""
    return second / 86_400


def _steps(axes: Axes, steps: Mapping[str, Sequence[float]], windows: Mapping[str, Sequence[float]]) -> None:
    """Draw which share of the steps, and of the windows, lasts no longer than a time."""
    reached, total = [], 0.0
    for share in steps["share"][:-1]:
        total += share
        reached.append(total)
    axes.step(steps["step_s"][:-1], reached, where="post", color=ORANGE, label="a step between rows")
    if windows["span_s"]:
        axes.step(windows["span_s"], windows["share"], where="post", color=BLUE, label="a window of rows")
    axes.set_xscale("symlog")
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("seconds")
    titled(axes, "Share that lasts no longer")
    axes.legend(loc="lower center", frameon=False, fontsize=8)


def _autocorrelation(axes: Axes, found: Mapping[str, Sequence[float]]) -> None:
    axes.vlines(found["lag"], found["low"], found["high"], color=GREY, linewidth=4, label="95 % interval")
    axes.plot(found["lag"], found["value"], "o", color=BLUE, markersize=4, label="autocorrelation")
    axes.axhline(0, color=BLACK, linewidth=1)
    axes.set_xlabel("lag, rows")
    titled(axes, "What a move tells of the moves after it")
    axes.legend(loc="lower right", frameon=False, fontsize=8)
