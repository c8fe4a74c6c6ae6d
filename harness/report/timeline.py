"""The timeline of an experiment as a picture: every probe's latency and outcome, the fault as a band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from harness.experiment.judge import Judgement
    from harness.experiment.record import Outcome, Probe, Record

_SIZE_INCHES = (11.0, 4.6)
# Colours that people with any colour vision tell apart (Okabe and Ito), and a shape each.
_LOOKS: dict[Outcome, tuple[str, str]] = {
    "right": ("#0072B2", "o"),
    "refused": ("#E69F00", "s"),
    "failed": ("#D55E00", "x"),
    "timed out": ("#CC79A7", "^"),
    "wrong": ("#000000", "*"),
}
_INVALID = ("invalid",)
_MARGINS = {"left": 0.075, "right": 0.83, "top": 0.91, "bottom": 0.11, "hspace": 0.08}
_FLOOR_S = 1e-3


def draw(record: Record, judgement: Judgement, path: Path) -> Path:
    """Draw a record, with its verdict, as PNG or SVG by the path's suffix; return the path."""
    figure = Figure(figsize=_SIZE_INCHES)
    # Fixed margins, with room for the legend: to find them out takes as long as all of the drawing.
    figure.subplots_adjust(**_MARGINS)
    windows, pings = figure.subplots(2, 1, sharex=True, sharey=True, height_ratios=[3, 1])
    _scatter(windows, [p for p in record.probes if p.asked not in ("ping", *_INVALID)])
    _scatter(pings, record.pings())
    for axes, name in ((windows, "invocations"), (pings, "pings")):
        _show_fault(axes, record)
        axes.set_ylabel(f"{name}\nlatency, s")
        axes.set_yscale("log")
        axes.grid(visible=True, alpha=0.3)
    windows.axhline(record.measure.budget_s, color="grey", linestyle="--", linewidth=1, label="budget")
    windows.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    pings.set_xlabel("seconds since the experiment began")
    figure.suptitle(_title(record, judgement), fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return path


def _scatter(axes: Axes, probes: Sequence[Probe]) -> None:
    for outcome, (colour, shape) in _LOOKS.items():
        found = [probe for probe in probes if probe.outcome == outcome]
        if found:
            latencies = [max(probe.answered_s - probe.sent_s, _FLOOR_S) for probe in found]
            label = f"{outcome} ({len(found)})"
            axes.scatter([p.sent_s for p in found], latencies, s=16, c=colour, marker=shape, label=label)


def _show_fault(axes: Axes, record: Record) -> None:
    struck_s, reverted_s = record.at("struck"), record.at("reverted")
    if struck_s is not None and reverted_s is not None:
        axes.axvspan(struck_s, reverted_s, color="#D55E00", alpha=0.12, label=f"{record.name} lasts")
    well_s = record.at("well")
    if well_s is not None:
        axes.axvline(well_s, color="#009E73", linewidth=1, label="well again")


def _title(record: Record, judgement: Judgement) -> str:
    rules = ", ".join(dict.fromkeys(violation.rule for violation in judgement.violations))
    recovered = judgement.recovered_after_s
    fate = f", {judgement.fate}" if judgement.fate is not None else ""
    after = f"{fate}, well again {recovered:.1f} s after the revert" if recovered is not None else fate
    return f"{record.name} on {record.image}: {judgement.verdict.value}{f' ({rules})' if rules else ''}{after}"
