"""How old a window may be and how far ahead: limits seen from both sides, so that another clock is told apart. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.contract.judge import OK, UNPROCESSABLE, Answered, Violation, dimension_of, shown
from harness.contract.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import WindowRule

Limit = Literal["D9", "D10"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a limit: a window that ends `ahead_s` in the future, or so long ago below 0, and whether it is good.

    A window ages on its way. `margin_s` is how long it may take to be answered before it crosses the limit; None where
    age takes it farther away.
    """

    limit: Limit
    is_good: bool
    ahead_s: float
    margin_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What became of a window on one side of a limit."""

    side: Side
    answer: Answered
    took_s: float
    refused: tuple[int, ...] = (UNPROCESSABLE,)

    @property
    def is_right(self) -> bool:
        """Whether it was taken or refused as it had to be."""
        return self.answer.status in ((OK,) if self.side.is_good else self.refused)

    @property
    def is_sure(self) -> bool:
        """Whether it had not crossed the limit when it was answered."""
        return self.side.margin_s is None or self.took_s < self.side.margin_s


def sides(rule: WindowRule, *, nearest_s: float, margin_s: float) -> tuple[Side, ...]:
    """Return both sides of both limits; those that a window crosses on its way leave `margin_s` for that."""
    oldest_s, latest_s = -rule.max_age_s, rule.max_ahead_s
    return (
        Side(limit="D9", is_good=True, ahead_s=oldest_s + margin_s, margin_s=margin_s),
        Side(limit="D9", is_good=False, ahead_s=oldest_s - nearest_s),
        Side(limit="D10", is_good=True, ahead_s=latest_s - nearest_s),
        Side(limit="D10", is_good=False, ahead_s=latest_s + margin_s, margin_s=margin_s),
    )


def judge_age(seen: Sequence[Sighting], *, is_our_clock: bool = False) -> list[Violation]:
    """Judge both sides of both limits: a clock that differs shows at both limits, a limit that differs shows at one.

    Where the container goes by our clock, both limits are off by as much when the age is that of another moment.
    """
    wrong = [one for one in seen if one.is_sure and not one.is_right]
    blamed = [one for one in wrong if is_our_clock or not _is_of_the_clock(one, wrong)]
    return [violation for one in blamed for violation in _violations(one)]


def _is_of_the_clock(one: Sighting, wrong: Sequence[Sighting]) -> bool:
    """Whether the other limit is off by as much, the same way: a late clock takes the old and refuses the new."""
    return any(
        other.side.limit != one.side.limit
        and other.side.is_good != one.side.is_good
        and other.answer.status != one.answer.status
        for other in wrong
    )


def _violations(one: Sighting) -> list[Violation]:
    side = one.side
    where = f"{side.ahead_s:.3g} s in the future" if side.ahead_s > 0 else f"{-side.ahead_s:.3g} s ago"
    wanted = "200" if side.is_good else " or ".join(map(str, one.refused))
    # A limit that is too narrow refuses what is good, and breaks both promises; other refusals are not the limit's.
    is_of_the_limit = not side.is_good or dimension_of(one.answer) in RULES[side.limit].dimensions
    rules = [*(["R1"] if side.is_good else []), *([side.limit] if is_of_the_limit else [])]
    expected = f"{wanted} to a window that ended {where}" if side.ahead_s < 0 else f"{wanted} to one that ends {where}"
    return [Violation(rule=rule, expected=expected, actual=shown(one.answer)) for rule in rules]
