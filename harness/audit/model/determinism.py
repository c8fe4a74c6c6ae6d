"""Determinism: one window, one answer; again, as CSV, and whatever the clock says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.audit.finding import Finding, Severity
from harness.audit.model.asking import Case
from harness.audit.model.trial import Trial, by_window
from harness.contract.records import SECOND_NS, last_whole_second_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.audit.model.market import Market
    from harness.audit.model.trial import Answered

_WINDOWS = 4
_AGAIN, _AS_CSV, _EARLIER = "again", "as CSV", "with earlier times"
_REPEATS = 4
_EARLIER_SHARE = 0.4  # of the age that the profile grants


def _cases(market: Market) -> list[Case]:
    end_ns = last_whole_second_ns(time.time())
    earlier_ns = end_ns - int(market.profile.window.max_age_s * _EARLIER_SHARE) * SECOND_NS
    cases = []
    for of, window in enumerate(market.some(_WINDOWS)):
        again = Case(seconds=window, of=of, label=_AGAIN, end_ns=end_ns)
        cases += [again] * _REPEATS
        cases.append(Case(seconds=window, of=of, label=_AS_CSV, codec="csv", end_ns=end_ns))
        cases.append(Case(seconds=window, of=of, label=_EARLIER, end_ns=earlier_ns))
    return cases


def _judge(market: Market, answered: Sequence[Answered]) -> Iterable[Finding]:
    tolerance = market.profile.prediction.same_tolerance
    same, csv, clock = (max(_spreads(answered, label), default=0.0) for label in (_AGAIN, _AS_CSV, _EARLIER))
    if max(same, csv) > tolerance:
        yield _differs(same, csv)
    else:
        yield Finding(
            id="determinism.kept",
            severity=Severity.INFORMS,
            says=f"One window gets one answer, within {max(same, csv):.2g} of the price, as CSV too.",
            advice="Nothing to do.",
            numbers={"again_share": same, "as_csv_share": csv},
        )
        if clock > market.typical_move:
            yield _by_the_clock(clock, market.typical_move)


def _spreads(answered: Sequence[Answered], label: str) -> Iterator[float]:
    """Yield how far answers to one window lie from the first, as shares of the price."""
    for first, *others in by_window(answered):
        for one in others:
            if one.case.label == label and one.share is not None and first.share is not None:
                yield abs(one.share - first.share)


def _differs(same: float, csv: float) -> Finding:
    return Finding(
        id="determinism.differs",
        severity=Severity.BLOCKS,
        says=f"The same window gets different answers: up to {same:.2g} of the price apart when asked again, "
        f"{csv:.2g} as CSV.",
        advice="Switch dropout off, seed what is drawn, keep no state between requests: all else is noise before.",
        numbers={"again_share": same, "as_csv_share": csv},
    )


def _by_the_clock(clock: float, usual: float) -> Finding:
    return Finding(
        id="determinism.depends_on_clock",
        severity=Severity.WARNS,
        says=f"The same prices a few seconds earlier get an answer {clock:.2g} of the price away (a usual move is "
        f"{usual:.2g}).",
        advice="A time of day may matter, seconds should not: look for times that enter the model unscaled.",
        numbers={"difference_share": clock, "usual_move_share": usual},
    )


DETERMINISM = Trial(name="the same window again", cases=_cases, judge=_judge)
