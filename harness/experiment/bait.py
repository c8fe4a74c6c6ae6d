"""What a prober sends: good windows at several price levels, one window kept for comparison, invalid bodies."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.contract.records import SECOND_NS, Window, build, encode, last_whole_second_ns
from harness.faults.attempt import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import WindowRule
    from harness.contract.series import Second

# Windows at levels far from each other: an answer that belongs to another request's window shows.
_FACTORS = (1.0, 1.5, 0.6, 2.5)
_DIGITS = 8
# The rules that invalid bodies break, in turn.
INVALID = ("C9", "D5", "D4", "D9")
# The window that is kept is not sent any more when it is about to be refused for its age.
_AGE_MARGIN_S = 5.0
_STALE_S = 30.0


@dataclass(slots=True)
class Bait:
    """Makes questions from a series of at least one window; only one thread may ask it.

    `breaks` are the rules that invalid bodies break, in turn: those of `INVALID` that a container promises to keep.
    """

    rule: WindowRule
    series: Sequence[Second]
    breaks: Sequence[str] = INVALID
    _turn: int = 0
    _fresh: dict[tuple[int, int], Question] = field(default_factory=dict)
    _kept: Question | None = None
    _kept_until: float = 0.0

    def good(self, now: float) -> Question:
        """Return a good window that ends at the last whole second before `now` (Unix time), each time another."""
        self._turn += 1
        slot, end_ns = self._turn % len(_FACTORS), last_whole_second_ns(now)
        if (slot, end_ns) not in self._fresh:
            self._fresh = {key: question for key, question in self._fresh.items() if key[1] == end_ns}
            window = build(self.rule, self._seconds(slot), end_ns=end_ns)
            self._fresh[slot, end_ns] = Question(asked="good", body=encode(self.rule, window), window=window)
        return self._fresh[slot, end_ns]

    def keep(self, now: float) -> None:
        """Choose a fresh window to be sent, byte for byte, until it is too old."""
        self._kept = replace(self.good(now), asked="same")
        self._kept_until = now + self.rule.max_age_s - _AGE_MARGIN_S

    def same(self, now: float) -> Question | None:
        """Return the window that is kept; None before one is chosen and when it is too old."""
        return self._kept if now < self._kept_until else None

    def invalid(self, now: float) -> Question:
        """Return an invalid body, in turn one that is cut short, short of a record, with a null, too old; if any is."""
        breaks = self.breaks[(last_whole_second_ns(now) // SECOND_NS) % len(self.breaks)]
        return Question(asked="invalid", body=self._broken(breaks, now), breaks=breaks)

    def _broken(self, breaks: str, now: float) -> bytes:
        age_s = self.rule.max_age_s + _STALE_S if breaks == "D9" else 0.0
        window = build(self.rule, self._seconds(0), end_ns=last_whole_second_ns(now - age_s))
        if breaks == "C9":
            return encode(self.rule, window)[:-20]
        if breaks == "D5":
            window = Window(records=window.records[1:])
        if breaks == "D4":
            last = {**window.records[-1], self.rule.target: None}
            window = Window(records=(*window.records[:-1], last))
        return encode(self.rule, window)

    def _seconds(self, slot: int) -> list[Second]:
        """Return one stretch of the series, its prices moved to the slot's level where that is plausible."""
        spare = len(self.series) - self.rule.records
        first = spare * slot // len(_FACTORS)
        stretch = self.series[first : first + self.rule.records]
        factor = _FACTORS[slot] if self._is_plausible(stretch, _FACTORS[slot]) else 1.0
        return [_scaled(second, factor) for second in stretch]

    def _is_plausible(self, stretch: Sequence[Second], factor: float) -> bool:
        limits = self.rule.fields[self.rule.target].plausible
        if limits is None:
            return True
        low, high = min(second.low for second in stretch), max(second.high for second in stretch)
        return limits[0] <= low * factor and high * factor <= limits[1]


def _scaled(second: Second, factor: float) -> Second:
    prices = {name: round(getattr(second, name) * factor, _DIGITS) for name in ("open", "high", "low", "close")}
    return replace(second, **prices)
