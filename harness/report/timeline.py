"""The timeline of an experiment as a picture: every probe's latency and outcome, the fault as a band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from harness.report.drawing import drawn_as_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from harness.experiment.judge import Judgement
    from harness.experiment.record import Outcome, Probe, Record

# Narrow, so that its words can be read where a phone shows it a little smaller.
_SIZE_INCHES, _POINTS = (5.4, 3.5), 9
_DPI = 150
_MARGINS = {"left": 0.125, "right": 0.985, "bottom": 0.125, "hspace": 0.13}
_TOP, _TOP_BELOW_HEADLINE = 0.86, 0.77
# Colours that people with any colour vision tell apart (Okabe and Ito), and a shape each.
_LOOKS: dict[Outcome, tuple[str, str]] = {
    "right": ("#0072B2", "o"),
    "refused": ("#E69F00", "s"),
    "failed": ("#D55E00", "x"),
    "timed out": ("#CC79A7", "^"),
    "wrong": ("#000000", "*"),
}
_INVALID = ("invalid",)
_FLOOR_S = 1e-3


def draw(record: Record, judgement: Judgement, path: Path, *, headline: bool = True) -> Path:
    """Draw a record as PNG or SVG by the path's suffix, its verdict as the headline; return the path."""
    with mpl.rc_context({"font.size": _POINTS}):
        figure = _figure(record, _title(record, judgement) if headline else "")
        path.parent.mkdir(parents=True, exist_ok=True)
        with drawn_as_text():
            figure.savefig(path, dpi=_DPI)
    return path


def _figure(record: Record, headline: str) -> Figure:
    figure = Figure(figsize=_SIZE_INCHES)
    # Fixed margins, with room for legend and headline: to find them out takes as long as all of the drawing.
    figure.subplots_adjust(**_MARGINS, top=_TOP_BELOW_HEADLINE if headline else _TOP)
    windows, pings = figure.subplots(2, 1, sharex=True, sharey=True, height_ratios=[3, 1])
    _scatter(windows, [p for p in record.probes if p.asked not in ("ping", *_INVALID)])
    _scatter(pings, record.pings())
    for axes, name in ((windows, "invocations"), (pings, "pings")):
        _show_fault(axes, record)
        axes.set_ylabel(f"{name}, s")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
        axes.grid(visible=True, alpha=0.3)
    windows.axhline(record.measure.budget_s, color="#999999", linestyle="--", linewidth=1, label="budget")
    figure.legend(
        *windows.get_legend_handles_labels(),
        loc="upper left",
        ncols=4,
        frameon=False,
        fontsize=8,
        columnspacing=1.2,
    )
    pings.set_xlabel("seconds since the experiment began")
    windows.set_title(headline, fontsize=8, loc="left")
    return figure


def _scatter(axes: Axes, probes: Sequence[Probe]) -> None:
    for outcome, (colour, shape) in _LOOKS.items():
        found = [probe for probe in probes if probe.outcome == outcome]
        if found:
            latencies = [max(probe.answered_s - probe.sent_s, _FLOOR_S) for probe in found]
            label = f"{outcome} ({len(found)})"
            axes.scatter([p.sent_s for p in found], latencies, s=9, c=colour, marker=shape, linewidths=1, label=label)


def _show_fault(axes: Axes, record: Record) -> None:
    struck_s, reverted_s = record.at("struck"), record.at("reverted")
    if struck_s is not None and reverted_s is not None:
        axes.axvspan(struck_s, reverted_s, color="#D55E00", alpha=0.12, linewidth=0, label=f"{record.name} lasts")
    well_s = record.at("well")
    if well_s is not None:
        axes.axvline(well_s, color="#009E73", linewidth=1, label="well again")


def _title(record: Record, judgement: Judgement) -> str:
    rules = ", ".join(dict.fromkeys(violation.rule for violation in judgement.violations))
    recovered = judgement.recovered_after_s
    fate = f", {judgement.fate}" if judgement.fate is not None else ""
    after = f"{fate}, well again {recovered:.1f} s after the revert" if recovered is not None else fate
    verdict = f"{judgement.verdict.value}{f' ({rules})' if rules else ''}"
    return f"{record.name}: {verdict}{after}\n{record.image}"
