"""A plan: everything that one measurement needs to know, as a value that travels to the generators."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any

from harness.contract.profile import Profile
from harness.contract.series import Second
from harness.contract.tables import read_table

# The folder in which a generator finds its plan, and leaves its record and how far it is.
FOLDER_VARIABLE = "HARNESS_LOAD_FOLDER"
# Who started it, as a process id: a generator ends with it.
PARENT_VARIABLE = "HARNESS_LOAD_PARENT"
PLAN_FILE, PROGRESS_FILE = "plan.json", "progress.json"

_GRACE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the generator must keep for its measurement to count: lag p99 in seconds, CPU as a share of one core."""

    lag_p99_s: float = 0.05
    cpu_share: float = 0.9
    confidence: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One measurement: `duration_s` counts, after `warm_up_s` at the same rate that does not.

    A long one is recorded in laps of `lap_s`; at 0 there is one lap.
    """

    url: str
    profile: Profile
    series: tuple[Second, ...]
    rate_per_s: float
    duration_s: float
    seed: int
    lap_s: float = 0.0
    limits: Limits = field(default_factory=Limits)

    @property
    def length_s(self) -> float:
        """How long requests are sent, warm-up included."""
        return self.profile.load.warm_up_s + self.duration_s

    @property
    def patience_s(self) -> float:
        """How long one request may stay unanswered before it is given up."""
        return self.profile.http.hang_s

    @property
    def longest_s(self) -> float:
        """How long the measurement takes where every last answer hangs."""
        return self.length_s + self.patience_s + _GRACE_S

    @property
    def offsets(self) -> int:
        """How many different windows the series holds."""
        return len(self.series) - self.profile.window.records + 1

    @property
    def laps(self) -> int:
        """How many laps there are; what is left of the last is no lap of its own."""
        return max(1, math.floor(self.duration_s / self.lap_s)) if self.lap_s else 1

    def lap_of(self, due_s: float) -> int:
        """Return the lap of what is due then; the warm-up belongs to the first."""
        if not self.lap_s:
            return 0
        return min(max(0, math.floor((due_s - self.profile.load.warm_up_s) / self.lap_s)), self.laps - 1)

    def span_of(self, lap: int) -> tuple[float, float]:
        """Return where a lap begins and ends, in seconds since the schedule's start."""
        begin_s = self.profile.load.warm_up_s + lap * self.lap_s
        return begin_s, self.length_s if lap == self.laps - 1 else begin_s + self.lap_s

    def file_of(self, lap: int) -> str:
        """Return the name of a lap's record."""
        return f"lap-{lap + 1:04d}.jsonl" if self.lap_s else "record.jsonl"

    def to_json(self) -> str:
        """Write the plan as JSON; the series as rows, since a recorded one is long."""
        whole: dict[str, Any] = {spec.name: getattr(self, spec.name) for spec in dataclasses.fields(self)}
        whole["profile"] = _without_none(dataclasses.asdict(self.profile))
        whole["limits"] = dataclasses.asdict(self.limits)
        whole["series"] = [dataclasses.astuple(second) for second in self.series]
        return json.dumps(whole)


def read_plan(text: str) -> Plan:
    """Read a plan that was written as JSON."""
    whole = json.loads(text)
    names = [spec.name for spec in dataclasses.fields(Second)]
    whole["profile"] = read_table(Profile, whole["profile"], place="")
    whole["limits"] = Limits(**whole["limits"])
    whole["series"] = tuple(Second(**dict(zip(names, row, strict=True))) for row in whole["series"])
    return Plan(**whole)


def _without_none(table: object) -> object:
    """Leave out what is None: a profile says that by saying nothing."""
    if isinstance(table, dict):
        return {key: _without_none(value) for key, value in table.items() if value is not None}
    return table
