"""When the rows of a data set are: its span, the gaps in it, and how long its windows of so many rows really last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from string import Template
from typing import TYPE_CHECKING

from harness.audit.weighted import quantile
from harness.contract.records import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.audit.data_order import Order
    from harness.audit.data_table import Answer, Table

# A step of more periods than this is counted with those of just as many: a year has 31.5 million seconds.
_MOST_PERIODS = 1_000_000
_STEPS = Template("""
SELECT least(greatest(floor((start - before) / $period_ns), 0), $most)::BIGINT AS periods,
  count(*) AS times,
  count(*) FILTER (start = before) AS repeated,
  count(*) FILTER ((start - before) % $period_ns <> 0) AS off_grid,
  count(*) FILTER (start > before AND before_end > start) AS overlapping,
  max(start - before) AS longest_ns
FROM (SELECT start, lag(start) OVER () AS before, lag("end") OVER () AS before_end FROM ordered)
WHERE before IS NOT NULL GROUP BY ALL
""")
# Where a step is no period, a new run of rows begins: a window lies in one run, with the record to be predicted.
_WINDOWS = Template("""
SELECT least(greatest(ceil((start + $period_ns - first) / $period_ns), 0), $most)::BIGINT AS periods,
  count(*) AS times,
  count(*) FILTER (number - began >= $rows - 1) AS whole,
  count(*) FILTER (number - began >= $rows) AS with_target
FROM (
  SELECT start, first, number,
    max(CASE WHEN before IS NULL OR start - before <> $period_ns THEN number END)
      OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS began
  FROM (
    SELECT start, lag(start) OVER () AS before, lag(start, $rows - 1) OVER () AS first, row_number() OVER () AS number
    FROM ordered
  )
)
WHERE first IS NOT NULL GROUP BY ALL
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Steps between the starts of rows, oldest first; `steps` and `spans` count by whole periods (seconds)."""

    period_s: float
    window_rows: int
    order: Order
    steps: Mapping[int, int]
    spans: Mapping[int, int]
    repeated: int
    off_grid: int
    overlapping: int
    longest_s: float
    whole_windows: int
    windows_with_target: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.order.rows

    @property
    def timed(self) -> int:
        """How many rows have a start that can be read."""
        return self.order.timed

    @property
    def first_ns(self) -> int:
        """The first start."""
        return self.order.first_ns

    @property
    def last_ns(self) -> int:
        """The last start."""
        return self.order.last_ns

    @property
    def span_s(self) -> float:
        """From the first start to the last end."""
        return (self.last_ns - self.first_ns) / SECOND_NS + self.period_s

    @property
    def present_share(self) -> float:
        """The share of the span's periods that have a row."""
        return min((self.timed - self.repeated) / max(round(self.span_s / self.period_s), 1), 1.0)

    @property
    def long_step_share(self) -> float:
        """The share of steps that are longer than one period."""
        return sum(times for periods, times in self.steps.items() if periods > 1) / max(sum(self.steps.values()), 1)

    def step_s(self, share: float) -> float:
        """Return a quantile of the steps, in seconds."""
        return quantile(self.steps, share) * self.period_s

    def window_s(self, share: float) -> float:
        """Return a quantile of what the profile's number of rows span, in seconds."""
        return quantile(self.spans, share) * self.period_s


def measure_steps(table: Table) -> Steps:
    """Measure all steps and windows in two passes over the starts; where every step is one period, in none."""
    asked = {"period_ns": round(table.rule.period_s * SECOND_NS), "most": _MOST_PERIODS, "rows": table.rule.records}
    if table.order.is_regular:
        steps, windows = _regular(table)
    else:
        steps, windows = table.rows(_STEPS.substitute(asked)), table.rows(_WINDOWS.substitute(asked))
    return Steps(
        period_s=table.rule.period_s,
        window_rows=table.rule.records,
        order=table.order,
        steps={one["periods"]: one["times"] for one in steps},
        spans={one["periods"]: one["times"] for one in windows},
        repeated=sum(one["repeated"] for one in steps),
        off_grid=sum(one["off_grid"] for one in steps),
        overlapping=sum(one["overlapping"] for one in steps),
        longest_s=max((one["longest_ns"] for one in steps), default=0) / SECOND_NS,
        whole_windows=sum(one["whole"] for one in windows),
        windows_with_target=sum(one["with_target"] for one in windows),
    )


def _regular(table: Table) -> tuple[list[Answer], list[Answer]]:
    """Return what both queries would answer of rows that follow each other period by period."""
    rows, window = table.order.timed, table.rule.records
    step = {"periods": 1, "times": rows - 1, "longest_ns": round(table.rule.period_s * SECOND_NS)}
    none = {"repeated": 0, "off_grid": 0, "overlapping": 0}
    whole, with_target = max(rows - window + 1, 0), max(rows - window, 0)
    span = {"periods": window, "times": whole, "whole": whole, "with_target": with_target}
    return [step | none] if rows > 1 else [], [span] if whole else []


def moment(of_ns: int) -> str:
    """Write nanoseconds since the epoch to the second, in UTC."""
    return datetime.fromtimestamp(of_ns // SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%S")
