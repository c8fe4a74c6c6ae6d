"""A jump: does the model go along at once, is it still good a while later, and does the answer say so? It is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.audit.finding import Finding, Severity
from harness.audit.model.asking import Case
from harness.audit.model.level import is_plausible
from harness.audit.model.market import times
from harness.audit.model.trial import Trial, silent_of, statuses_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.audit.model.market import Market
    from harness.audit.model.trial import Answered
    from harness.contract.series import Second

# In jumps that the profile's `jump_move` defines, down and up; the last is a doubling with the default profile.
_TIMES = (-3.0, -1.6, 1.6, 3.0, 20.0)
_WINDOWS = 3
# Records since the jump: it is the last one, or it happened a while ago.
_AGES = (1, 10, 40)


def _cases(market: Market) -> list[Case]:
    return [case for of, window in enumerate(market.some(_WINDOWS)) for case in _jumps(market, of, window)]


def _jumps(market: Market, of: int, window: tuple[Second, ...]) -> Iterator[Case]:
    for move in (factor * market.profile.prediction.jump_move for factor in _TIMES):
        for age in (age for age in _AGES if age < len(window)):
            jumped = jump(window, move=move, age=age)
            if is_plausible(jumped, market.profile.window):
                yield Case(seconds=jumped, of=of, label=f"{move:+.0%}, {age} records ago")


def jump(window: tuple[Second, ...], *, move: float, age: int) -> tuple[Second, ...]:
    """Return a window whose prices move by a share within a record, the `age`-th from the end, and stay there."""
    calm, after = window[:-age], [times(second, 1 + move) for second in window[-age:]]
    before = calm[-1].close
    at, *later = after
    at = replace(at, open=before, low=min(before, at.low), high=max(before, at.high))
    return (*calm, at, *later)


def _judge(market: Market, answered: Sequence[Answered]) -> Iterable[Finding]:
    promise = market.profile.prediction
    silent, spoken = silent_of(answered), [one for one in answered if one.share is not None]
    if silent:
        yield _refused(silent, len(answered))
    off = [(abs(one.share or 0.0), one.case.label) for one in spoken]
    worst, label = max(off, default=(0.0, ""))
    late = sum(1 for share, _ in off if share > promise.jump_tolerance)
    if late:
        yield _not_followed(late, len(answered), worst, label)
    unflagged = [one for one in spoken if not one.reply.is_flagged]
    if unflagged:
        yield _unflagged(len(unflagged), len(spoken))
    if not (silent or late):
        yield _followed(len(answered), worst)


def _refused(silent: Sequence[Answered], asked: int) -> Finding:
    return Finding(
        id="jump.refused",
        severity=Severity.BLOCKS,
        says=f"{len(silent)} of {asked} windows with a jump got no prediction: {statuses_of(silent)}.",
        advice="Answer and flag: a price that jumps is when an answer is needed most, and what jumped is not wrong.",
        numbers={"windows": asked, "refused": len(silent)},
    )


def _not_followed(late: int, asked: int, worst: float, label: str) -> Finding:
    return Finding(
        id="jump.not_followed",
        severity=Severity.BLOCKS,
        says=f"After a jump {late} of {asked} predictions lie far off the last close, by up to {worst:.1%} ({label}).",
        advice="Anchor the answer at the last close and bound the correction: after a jump nothing else counts.",
        numbers={"windows": asked, "not_followed": late, "furthest_share": worst},
    )


def _unflagged(count: int, spoken: int) -> Finding:
    return Finding(
        id="jump.unflagged",
        severity=Severity.WARNS,
        says=f"{count} of {spoken} answers to a window with a jump flag nothing.",
        advice="Fill `anomalies`, so that the caller can tell a prediction it should not trade on; rule P5 demands it.",
        numbers={"windows": spoken, "unflagged": count},
    )


def _followed(asked: int, worst: float) -> Finding:
    return Finding(
        id="jump.followed",
        severity=Severity.INFORMS,
        says=f"After a jump all {asked} predictions lie near the last close, within {worst:.2%}.",
        advice="Nothing to do.",
        numbers={"windows": asked, "furthest_share": worst},
    )


JUMP = Trial(name="jumps", cases=_cases, judge=_judge)
