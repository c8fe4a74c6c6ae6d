"""What a release looks like: the challenger's share over time, and what went wrong with whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from harness.release.rollout.record import Seen
from harness.report.plot_style import BLUE, GREY, VERMILION, finish, save

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from harness.release.rollout.judge import Judgement
    from harness.release.rollout.record import Header, Line

_SIZE_INCHES = (11.0, 5.5)
_PERCENT = 100


def draw_release(judgement: Judgement, lines: Sequence[Line], path: Path) -> Path:
    """Draw a release as PNG or SVG by the path's suffix; return the path."""
    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    share, events = figure.subplots(2, 1, sharex=True)
    seen = [line for line in lines if isinstance(line, Seen)]
    _share(share, judgement)
    _events(events, judgement.header, seen)
    events.set_xlabel("seconds since the release began")
    header = judgement.header
    figure.suptitle(f"{judgement.outcome}: {header.challenger} in place of {header.champion}", fontsize=11)
    return save(figure, path)


def _share(axes: Axes, judgement: Judgement) -> None:
    ends = [step.ended_s for step in judgement.steps]
    if ends:
        shares = [step.share * _PERCENT for step in judgement.steps]
        axes.stairs(shares, [0.0, *ends], color=BLUE, fill=True, alpha=0.3, label="the challenger's")
    decided_s = ends[-1] if ends else 0.0
    axes.axvline(decided_s, color=VERMILION, linestyle="--", linewidth=1, label=judgement.outcome.value)
    axes.set_ylim(0, _PERCENT)
    axes.set_ylabel("% of the calls")
    finish(axes, "Share of the calls until it was decided")


def _events(axes: Axes, header: Header, seen: Sequence[Seen]) -> None:
    """Mark each call with which something was wrong, a row for each way."""
    ways: dict[str, Callable[[Seen], bool]] = {
        "error": lambda one: one.is_error,
        "over budget": lambda one: one.is_late,
        "wrong": lambda one: bool(one.wrong),
        "unlike": lambda one: _is_unlike(one, header),
    }
    for name, colour, is_challenger in (("champion", GREY, False), ("challenger", VERMILION, True)):
        of_it = [one for one in seen if one.is_challenger == is_challenger]
        marks = [(one.at_s, row) for row, is_so in enumerate(ways.values()) for one in of_it if is_so(one)]
        axes.plot([at_s for at_s, _ in marks], [row for _, row in marks], "|", color=colour, markersize=14, label=name)
    axes.set_yticks(range(len(ways)), list(ways))
    axes.set_ylim(len(ways) - 0.5, -0.5)
    finish(axes, "Calls with which something was wrong")


def _is_unlike(one: Seen, header: Header) -> bool:
    reference = one.reference
    if reference is None or one.is_error:
        return False
    return one.status != reference.status or (reference.apart_bps or 0.0) > header.difference_bps
