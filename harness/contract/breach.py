"""A breach: one way to break a good window, as an edit of its records; and a kind of breach, which can hit anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import strategies as st

from harness.contract.records import SECOND_NS, Codec, Record, Window, moment_ns, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hypothesis.strategies import SearchStrategy

    from harness.contract.profile import WindowRule

    Places: TypeAlias = Sequence[int]

BOTH: tuple[Codec, ...] = ("json", "csv")
# Prime to most lengths: turn by turn it leads through all records within.
_STRIDE = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One way to break a window: which rule, in words, as an edit of its records, and the codecs that can carry it."""

    rule: str
    says: str
    edit: Callable[[list[Record]], list[Record]]
    codecs: tuple[Codec, ...] = BOTH

    def __repr__(self) -> str:
        """Show the words: Hypothesis prints them for a failing example."""
        return f"<{self.rule}: {self.says}>"

    def of(self, window: Window) -> Window:
        """Return the window, broken."""
        return Window(records=tuple(self.edit(window.editable())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of breach: drawn from anywhere in a window, and those that are sent whatever is drawn.

    A container may look at one record and not at the next, at JSON and not at CSV: chance alone would not tell.
    """

    anywhere: SearchStrategy[Breach]
    always: tuple[tuple[Breach, Codec], ...]


def in_each_codec(breaches: Iterable[Breach]) -> tuple[tuple[Breach, Codec], ...]:
    """Pair each breach with each codec that can carry it."""
    return tuple((breach, codec) for breach in breaches for codec in breach.codecs)


def at_every_end(rule: WindowRule, breach_at: Callable[[Places], Breach], *, turn: int = 0) -> Kind:
    """Return a kind that always hits a record within, the first and the last, in each codec."""
    always = in_each_codec(breach_at((place,)) for place in _ends(rule, turn))
    return Kind(anywhere=places(rule).map(breach_at), always=always)


def at_some_end(rule: WindowRule, breach_at: Callable[[Places], Breach], *, turn: int) -> Kind:
    """Return one of many kinds: each always hits one of the three records in each codec, and they take turns."""
    ends = _ends(rule, turn)
    hits = [breach_at((ends[(turn + step) % len(ends)],)) for step in range(len(BOTH))]
    always = tuple((hit, hit.codecs[step % len(hit.codecs)]) for step, hit in enumerate(hits))
    return Kind(anywhere=places(rule).map(breach_at), always=always)


def at_every_seam(rule: WindowRule, breach_at: Callable[..., Breach], *drawn: SearchStrategy[object]) -> Kind:
    """Return a kind that hits between two records; what else it takes is drawn, and always as it is by default."""
    seams = (rule.records // 2, 1, rule.records - 1)
    between = st.one_of(st.sampled_from(seams), st.integers(1, rule.records - 1))
    return Kind(anywhere=st.builds(breach_at, between, *drawn), always=in_each_codec(map(breach_at, seams)))


def _ends(rule: WindowRule, turn: int = 0) -> tuple[int, int, int]:
    """Return a record within, another one at each turn, so that in time all have theirs; the first; and the last."""
    last = rule.records - 1
    # One within first: it is what the simplest example hits, and what looks at the first or the last alone misses.
    return 1 + (last // 2 - 1 + _STRIDE * turn) % max(last - 1, 1), 0, last


def places(rule: WindowRule) -> SearchStrategy[Places]:
    """Draw which records are hit: the first, the last, the middle, any one, many, all."""
    one = st.sampled_from([(place,) for place in _ends(rule)])
    some = st.lists(st.integers(0, rule.records - 1), min_size=1, max_size=rule.records, unique=True)
    return st.one_of(one, some.map(sorted).map(tuple), st.just(tuple(range(rule.records))))


def said(places: Places) -> str:
    """Name the records that are hit."""
    if len(places) == 1:
        return f"record {places[0]}"
    return f"records {places[0]}..{places[-1]} ({len(places)} of them)"


def edited(places: Places, change: Callable[[Record], object]) -> Callable[[list[Record]], list[Record]]:
    """Change some records in place."""

    def edit(records: list[Record]) -> list[Record]:
        for place in places:
            change(records[place])
        return records

    return edit


def move(rule: WindowRule, record: Record, by_ns: int) -> None:
    """Move all times of a record."""
    for name in rule.of_kind("timestamp"):
        moment = moment_ns(record[name])
        if moment is not None:
            record[name] = timestamp(moment + by_ns)


def period_ns(rule: WindowRule) -> int:
    """Return how long a record lasts."""
    return round(rule.period_s * SECOND_NS)
