"""Hypothesis strategies, one a data rule: a good window, broken in just that way, anywhere in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.contract import breaches_of_times as times
from harness.contract import breaches_of_values as values
from harness.contract.breach import BOTH, Breach, Kind
from harness.contract.window_rule import OF_TIMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

    from harness.contract.profile import WindowRule


def breaches(rule: WindowRule) -> Mapping[str, SearchStrategy[Breach]]:
    """Return one strategy of breaches for each data rule that this profile's windows can break, by its id."""
    return {rule_id: any_of(kinds) for rule_id, kinds in kinds_of_breaches(rule).items() if kinds}


def any_of(kinds: Iterable[Kind]) -> SearchStrategy[Breach]:
    """Return a strategy of breaches of some kinds."""
    return st.one_of([kind.anywhere for kind in kinds])


def kinds_of_breaches(rule: WindowRule) -> Mapping[str, Sequence[Kind]]:
    """Return, for each data rule, every kind of breach that bodies can show: a container may miss any one of them."""
    rule = rule.as_sent
    kinds = {
        "D1": values.missing_fields(rule),
        "D2": values.wrong_types(rule),
        "D3": values.impossible_values(rule),
        "D4": values.empty_fields(rule),
        "D5": times.another_length(rule),
        **(_of_times(rule) if rule.tells_time else {rule_id: [] for rule_id in OF_TIMES}),
        "D11": values.implausible_values(rule),
    }
    return {rule_id: [one for kind in found for one in _carried(rule, kind)] for rule_id, found in kinds.items()}


def _of_times(rule: WindowRule) -> dict[str, list[Kind]]:
    return {
        "D6": times.broken_rows(rule),
        "D7": times.another_order(rule),
        "D8": times.contradictory_times(rule),
        "D9": times.stale(rule),
        "D10": times.ahead(rule),
    }


def _carried(rule: WindowRule, kind: Kind) -> list[Kind]:
    """Keep of a kind what the container's codecs can carry."""
    if set(BOTH) <= set(rule.codecs):
        return [kind]

    def narrowed(breach: Breach) -> Breach:
        return replace(breach, codecs=tuple(codec for codec in breach.codecs if codec in rule.codecs))

    always = tuple((narrowed(breach), codec) for breach, codec in kind.always if codec in rule.codecs)
    anywhere = kind.anywhere.map(narrowed).filter(lambda breach: bool(breach.codecs))
    return [Kind(anywhere=anywhere, always=always)] if always else []
