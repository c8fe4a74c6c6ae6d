"""One pass over all rows of a data set, which tells the rules that they break, their order, and the extremes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.audit.data_breaches import breaches_asked, breaches_of
from harness.audit.data_extremes import extremes_asked, extremes_of
from harness.audit.data_order import order_asked, order_of

if TYPE_CHECKING:
    from harness.audit.data_breaches import Breaches
    from harness.audit.data_extremes import Extremes
    from harness.audit.data_table import Answer, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the pass told."""

    breaches: Breaches
    extremes: Extremes


def survey(table: Table) -> Survey:
    """Look at all rows once, and settle the table's order."""
    found = _asked(table, [*breaches_asked(table), *extremes_asked(table)])
    return Survey(breaches=breaches_of(table, found), extremes=extremes_of(table, found))


def rules_alone(table: Table) -> Breaches:
    """Do the same for the data rules alone: those of a row by itself, and in the table's order, D6 and D7."""
    return breaches_of(table, _asked(table, breaches_asked(table)))


def _asked(table: Table, asked: list[str]) -> Answer:
    found = table.row(f"SELECT {', '.join([*order_asked(table), *asked])} FROM records")
    table.settle(order_of(table, found))
    return found
