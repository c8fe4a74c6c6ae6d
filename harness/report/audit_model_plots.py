"""What a model is worth, at a glance: its error by regime, its moves beside what came, its answers to other inputs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from harness.report.plot_style import BLACK, BLUE, GREY, ORANGE, VERMILION, titled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    Columns = Mapping[str, Sequence[float | None]]

_SIZE_INCHES = (11.0, 8.0)
# From so many times on, an axis of ratios is logarithmic; from so many basis points on, one of moves is.
_MANY_TIMES, _FAR_BP = 4.0, 50.0
# A field that moves the answer by less is ignored; it is drawn, at the edge, to be seen as such.
_LEAST_BP = 1e-5


def draw_model(series: Mapping[str, Columns]) -> str:
    """Return the drawings of an audit's series as SVG, as many as there are."""
    ways = {"error": _error, "moves": _moves, "level": _level, "fields": _fields}
    there = [name for name in ways if name in series]
    rows = (len(there) + 1) // 2
    figure = Figure(figsize=(_SIZE_INCHES[0], _SIZE_INCHES[1] * rows / 2), layout="constrained")
    for axes, name in zip(figure.subplots(rows, 2, squeeze=False).flat, there, strict=False):
        ways[name](axes, series[name])
    for axes in figure.axes[len(there) :]:
        axes.set_axis_off()
    sheet = io.StringIO()
    figure.savefig(sheet, format="svg")
    return sheet.getvalue()


def _error(axes: Axes, found: Columns) -> None:
    """Draw the error over persistence's as a point with its interval, a line for all windows and each regime."""
    names = [*found][::-1]
    for place, name in enumerate(names):
        value, low, high = _known(found[name])
        colour = VERMILION if low > 1 else BLUE
        axes.hlines(place, low, high, color=colour, linewidth=4, alpha=0.5)
        axes.plot(value, place, "o", color=colour, markersize=6)
        axes.annotate(
            f"{value:.4g}", (value, place), textcoords="offset points", xytext=(0, 9), ha="center", fontsize=8
        )
    axes.axvline(1, color=BLACK, linestyle="--", linewidth=1)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.5, len(names) - 0.3)
    if max(high for one in found.values() for high in _known(one)) > _MANY_TIMES:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("root mean square error, times persistence's; 95 % interval")
    titled(axes, "Left of the line it beats saying the last close again")


def _moves(axes: Axes, found: Columns) -> None:
    predicted, came = _known(found["predicted_bp"]), _known(found["came_bp"])
    axes.vlines(predicted, _known(found["low_bp"]), _known(found["high_bp"]), color=GREY, linewidth=4, label="95 %")
    axes.plot(predicted, came, "o", color=BLUE, markersize=5, label="mean of a tenth of the windows")
    ends = (min(predicted), max(predicted))
    axes.plot(ends, ends, color=ORANGE, linewidth=1.5, label="as predicted")
    axes.axhline(0, color=BLACK, linewidth=0.8)
    axes.set_xlabel("predicted move, bp")
    axes.set_ylabel("move that came, bp")
    titled(axes, "Does what it predicts come?")
    axes.legend(loc="upper left", frameon=False, fontsize=8)


def _level(axes: Axes, found: Columns) -> None:
    """Draw the predicted move of each window at each price; what was not answered is a cross at no move."""
    prices, usual = _known(found["price_usd"]), _known(found["usual_bp"])[0]
    axes.axhspan(-usual, usual, color=GREY, alpha=0.25, linewidth=0, label=f"a usual move, {usual:.2g} bp")
    answers = [*zip(found["window"], prices, found["move_bp"], strict=True)]
    for window in dict.fromkeys(found["window"]):
        own = sorted((price, move) for of, price, move in answers if of == window and move is not None)
        axes.plot([price for price, _ in own], [move for _, move in own], "o-", color=BLUE, markersize=4, linewidth=1)
    if silent := [price for _, price, move in answers if move is None]:
        axes.plot(silent, [0] * len(silent), "x", color=VERMILION, markersize=8, label="no answer")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda price, _: f"{price:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if max((abs(move) for move in found["move_bp"] if move is not None), default=0.0) > _FAR_BP:
        axes.set_yscale("symlog", linthresh=10)
    axes.set_xlabel("last close of the same windows, times 0.1 to 15, USD")
    axes.set_ylabel("predicted move, bp")
    titled(axes, "At other price levels: the lines should be level")
    axes.legend(loc="upper left", frameon=False, fontsize=8)


def _fields(axes: Axes, found: Columns) -> None:
    names = [*found][::-1]
    effects = [_known(found[name])[0] for name in names]
    axes.barh(range(len(names)), [max(effect, _LEAST_BP) for effect in effects], color=BLUE, height=0.6)
    for place, effect in enumerate(effects):
        says = f"{effect:.2g} bp" if effect > _LEAST_BP else "ignored"
        axes.annotate(
            says, (max(effect, _LEAST_BP), place), textcoords="offset points", xytext=(4, 0), va="center", fontsize=8
        )
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(_LEAST_BP, max(*effects, 1.0) * 100)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda effect, _: f"{effect:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("largest change of the prediction, bp")
    titled(axes, "Each field alone: prices by 10 bp, counts and volume doubled")


def _noted(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    beside: tuple[float, float],
    *,
    across: Literal["left", "center"] = "left",
    up: Literal["bottom", "center"] = "bottom",
) -> None:
    """Write a text beside a point, so many points off, aligned across and up."""
    axes.annotate(text, at, textcoords="offset points", xytext=beside, fontsize=8, ha=across, va=up)


def _known(values: Sequence[float | None]) -> list[float]:
    """Return the values of a column that has no gaps."""
    return [value for value in values if value is not None]
