"""Where the time of experiments goes: to the container, the steady state, the fault, the recovery, and to ourselves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.experiment.judge import Judgement
    from harness.experiment.record import Record

FILE = "times.json"
SCHEMA = 1
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How many seconds one experiment took, and for what: `container_s` until it served, `overhead_s` is the rest.

    `repeats` is what it showed at first, where it was run again alone.
    """

    fault: str
    verdict: str
    fate: str | None
    container_s: float
    steady_s: float
    fault_s: float
    recovery_s: float
    total_s: float
    repeats: str = ""

    @property
    def overhead_s(self) -> float:
        """What is none of the experiment: to set it up, write it down and judge it."""
        return max(0.0, self.total_s - self.container_s - self.steady_s - self.fault_s - self.recovery_s)


def times_of(record: Record, judgement: Judgement, *, fetched_s: float, total_s: float) -> Times:
    """Divide the time of an experiment; its container was there after `fetched_s` of it."""
    ended_s = record.at("ended") or max((mark.at_s for mark in record.marks), default=0.0)
    served_s = min((probe.sent_s for probe in record.probes if probe.outcome == "right"), default=ended_s)
    struck_s = _first(record.at("struck"), ended_s)
    reverted_s = _first(record.at("reverted"), ended_s)
    well_s = _first(record.at("well"), ended_s)
    served_s = min(served_s, struck_s)
    return Times(
        fault=record.name,
        verdict=judgement.verdict.value,
        fate=judgement.fate,
        container_s=fetched_s + served_s,
        steady_s=struck_s - served_s,
        fault_s=reverted_s - struck_s,
        recovery_s=well_s - reverted_s,
        total_s=total_s,
        repeats=record.repeats,
    )


def write(found: Sequence[Times], folder: Path, *, wall_s: float, lanes: int) -> Path:
    """Write the table as JSON into a folder."""
    rows = [_rounded(asdict(times) | {"overhead_s": times.overhead_s}) for times in found]
    content = {"schema": SCHEMA, "wall_s": round(wall_s, 2), "lanes": lanes, "experiments": rows}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def lines(found: Sequence[Times], *, wall_s: float, lanes: int) -> Iterator[str]:
    """Yield a few lines for the terminal."""
    parts = ("container", "steady", "fault", "recovery", "overhead")
    sums = ", ".join(f"{part} {sum(getattr(times, f'{part}_s') for times in found):.0f}" for part in parts)
    yield f"{len(found)} experiments in {wall_s:.0f} s, {lanes} at a time; of their seconds: {sums}"
    for times in (one for one in found if one.repeats):
        yield f"{times.fault} was run again alone ({times.verdict}), for at first: {times.repeats}"
    for times in sorted(found, key=lambda one: -one.total_s)[:_SHOWN]:
        each = ", ".join(f"{part} {getattr(times, f'{part}_s'):.1f}" for part in parts)
        yield f"{times.total_s:5.1f} s {times.fault}: {each}"


def _first(at_s: float | None, otherwise_s: float) -> float:
    return otherwise_s if at_s is None else at_s


def _rounded(row: dict[str, object]) -> dict[str, object]:
    return {key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()}
