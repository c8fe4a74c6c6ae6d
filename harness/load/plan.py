"""A plan: everything that one measurement needs to know, as a value that travels to the generator in a file."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.contract.profile import Profile
from harness.contract.series import Second
from harness.contract.tables import read_table

if TYPE_CHECKING:
    from pathlib import Path

# Where the generator finds its plan, and where it leaves its record.
PLAN_VARIABLE = "HARNESS_LOAD_PLAN"
RECORD_VARIABLE = "HARNESS_LOAD_RECORD"
# Where it says how far it is, once a second.
PROGRESS_VARIABLE = "HARNESS_LOAD_PROGRESS"

# More connections than this at once say nothing new about a server, and files are limited.
_IN_FLIGHT_MOST = 4_000
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the generator must keep for its measurement to count: lag p99 in seconds, CPU as a share of one core."""

    lag_p99_s: float = 0.05
    cpu_share: float = 0.9
    confidence: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One measurement: `duration_s` counts, after `warm_up_s` at the same rate that does not."""

    url: str
    profile: Profile
    series: tuple[Second, ...]
    rate_per_s: float
    duration_s: float
    seed: int
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
    def in_flight(self) -> int:
        """How many requests may be open at once: enough that a sut which hangs drops none."""
        return min(_IN_FLIGHT_MOST, math.ceil(self.rate_per_s * (self.patience_s + _GRACE_S)) + 8)

    @property
    def longest_s(self) -> float:
        """How long the measurement takes where every last answer hangs."""
        return self.length_s + self.patience_s + _GRACE_S

    @property
    def offsets(self) -> int:
        """How many different windows the series holds."""
        return len(self.series) - self.profile.window.records + 1


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan as JSON; the series as rows, since a recorded one is long."""
    whole: dict[str, Any] = {spec.name: getattr(plan, spec.name) for spec in dataclasses.fields(plan)}
    whole["profile"] = _without_none(dataclasses.asdict(plan.profile))
    whole["limits"] = dataclasses.asdict(plan.limits)
    whole["series"] = [dataclasses.astuple(second) for second in plan.series]
    path.write_text(json.dumps(whole))


def read_plan(path: Path) -> Plan:
    """Read a plan that `write_plan` wrote."""
    whole = json.loads(path.read_text())
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
