"""A soak: an hour, or a night, at one rate; each lap is judged while the next is measured, so that nothing piles up."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.verdict import Verdict
from harness.experiment.leaks import sample
from harness.load.laps import LAPS_LEAST, Lap, Soak
from harness.load.record import read_record
from harness.load.run import Crew, MeasurementFailed, carry_out
from harness.system.processes import OutOfReach

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.load.plan import Plan
    from harness.load.progress import Progress
    from harness.system.container import Sut

_LAP_MOST_S = 60.0
# Records of laps that failed are kept as evidence, the first so many.
_KEPT = 10
SUMMARY_FILE = "laps.jsonl"


def lap_s(duration_s: float) -> float:
    """Return how long the laps of a soak are: a minute, or less where there would be too few of them."""
    return min(_LAP_MOST_S, duration_s / LAPS_LEAST)


def soak(
    plan: Plan,
    folder: Path,
    *,
    sut: Sut | None = None,
    crew: Crew | None = None,
    watch: Callable[[Progress], None] | None = None,
    hear: Callable[[Lap], None] = lambda _: None,
) -> Soak:
    """Carry out a plan with laps and return all of them, judged; `hear` is told of each.

    The container's memory and open files are looked at after each lap, where it is ours and they can be seen.
    Raises `MeasurementFailed` where a lap is missing.
    """
    reader = _Reader(plan=plan, folder=folder, soak=Soak(plan.profile), sut=sut, hear=hear)
    ending = carry_out(plan, folder, crew=crew, watch=watch, look=reader.look)
    reader.look()
    if len(reader.soak.laps) < plan.laps:
        msg = f"{len(reader.soak.laps)} of {plan.laps} laps were recorded; the load generator {ending}"
        raise MeasurementFailed(msg)
    return reader.soak


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads each lap when it is whole, judges it, and leaves a line about it in the place of its record."""

    plan: Plan
    folder: Path
    soak: Soak
    sut: Sut | None
    hear: Callable[[Lap], None]
    _kept: int = 0

    def look(self) -> None:
        """Read the laps that have become whole."""
        while (number := len(self.soak.laps)) < self.plan.laps:
            path = self.folder / self.plan.file_of(number)
            if not path.exists():
                return
            lap = self.soak.add(read_record(path, self.plan, lap=number))
            self._sample()
            self._sum_up(lap, path)
            self.hear(lap)

    def _sample(self) -> None:
        if self.sut is None:
            return
        try:
            self.soak.samples.append(sample(self.sut, self.soak.sent))
        except OutOfReach:
            self.sut = None  # then nothing is said of leaks

    def _sum_up(self, lap: Lap, path: Path) -> None:
        with (self.folder / SUMMARY_FILE).open("a") as summary:
            summary.write(json.dumps(_line_of(lap)) + "\n")
        if lap.judgement.verdict is Verdict.FAILED and self._kept < _KEPT:
            self._kept += 1
        else:
            path.unlink()


def _line_of(lap: Lap) -> dict[str, object]:
    figures, over = lap.judgement.figures, lap.judgement.over_budget
    latencies = figures.latencies
    times = {"p50_s": latencies.p50_s, "p99_s": latencies.p99_s, "longest_s": latencies.longest_s}
    return {
        "lap": lap.number,
        "begin_s": lap.begin_s,
        "end_s": lap.end_s,
        "verdict": lap.judgement.verdict.value,
        "requests": over.of,
        "over_budget": over.hits,
        # JSON has no word for what is not a number.
        **{name: None if math.isnan(value) else value for name, value in times.items()},
        "outcomes": dict(figures.outcomes),
        "broken": dict(figures.broken),
        "offered_per_s": figures.offered_per_s,
        "achieved_per_s": figures.achieved_per_s,
        "lag_p99_s": figures.lag_p99_s,
        "generator_cpu_share": figures.cpu_share,
        "generator_memory_bytes": lap.memory_bytes,
    }
