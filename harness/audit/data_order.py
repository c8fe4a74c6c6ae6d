"""How the rows of a data set follow each other; where each begins one period after the one before, a glance tells."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

from harness.contract.records import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.audit.data_table import Table

_STEPS = Template("""
SELECT count(*) FILTER (start < before) AS back, count(*) FILTER (start > before) AS later,
  count(*) FILTER (start - before = $period_ns) AS regular
FROM (SELECT start, lag(start) OVER () AS before FROM records WHERE start IS NOT NULL)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How rows follow each other: `timed` have a start; steps lead `back` in time, `on`, or on by one period."""

    rows: int = 0
    timed: int = 0
    first_ns: int = 0
    last_ns: int = 0
    back: int = 0
    on: int = 0
    regular: int = 0

    @property
    def is_regular(self) -> bool:
        """Whether every row begins one period after the one before it."""
        return self.timed == self.rows and self.regular == self.steps

    @property
    def steps(self) -> int:
        """How many steps lie between rows that have a start."""
        return max(self.timed - 1, 0)


def order_asked(table: Table) -> list[str]:
    """Return what to ask of all rows: were every step one period, each start would be its row's number on from one."""
    period_ns = _period_ns(table)
    ahead, beside = f"start // {period_ns} - at_row", f"start % {period_ns}"
    return [
        "count(start) AS timed, min(start) AS first_ns, max(start) AS last_ns",
        f"min({ahead}) = max({ahead}) AND min({beside}) = max({beside}) AS is_even",
    ]


def order_of(table: Table, found: Mapping[str, int]) -> Order:
    """Return the order that was found; where it is not plain to see, step by step."""
    rows, timed = table.row_count, found["timed"]
    known = {"rows": rows, "timed": timed, "first_ns": found["first_ns"] or 0, "last_ns": found["last_ns"] or 0}
    if timed == rows and found["is_even"]:
        return Order(**known, on=timed - 1, regular=timed - 1)
    steps = table.row(_STEPS.substitute(period_ns=_period_ns(table)))
    return Order(**known, back=steps["back"], on=steps["later"], regular=steps["regular"])


def _period_ns(table: Table) -> int:
    return round(table.rule.period_s * SECOND_NS)
