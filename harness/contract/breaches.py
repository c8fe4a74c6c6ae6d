"""Hypothesis strategies, one a data rule: a good window, broken in just that way, anywhere in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.contract import breaches_of_times as times
from harness.contract import breaches_of_values as values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

    from harness.contract.breach import Breach, Kind
    from harness.contract.profile import WindowRule


def breaches(rule: WindowRule) -> Mapping[str, SearchStrategy[Breach]]:
    """Return one strategy of breaches for each data rule that this profile's windows can break, by its id."""
    return {rule_id: any_of(kinds) for rule_id, kinds in kinds_of_breaches(rule).items() if kinds}


def any_of(kinds: Iterable[Kind]) -> SearchStrategy[Breach]:
    """Return a strategy of breaches of some kinds."""
    return st.one_of([kind.anywhere for kind in kinds])


def kinds_of_breaches(rule: WindowRule) -> Mapping[str, Sequence[Kind]]:
    """Return, for each data rule, every kind of breach: a container may catch one and miss the next."""
    return {
        "D1": values.missing_fields(rule),
        "D2": values.wrong_types(rule),
        "D3": values.impossible_values(rule),
        "D4": values.empty_fields(rule),
        "D5": times.another_length(rule),
        "D6": times.broken_rows(rule),
        "D7": times.another_order(rule),
        "D8": times.contradictory_times(rule),
        "D9": times.stale(rule),
        "D10": times.ahead(rule),
        "D11": values.implausible_values(rule),
    }
