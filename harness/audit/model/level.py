"""Price levels: times k in, times k out? Each level is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.audit.finding import Finding, Severity
from harness.audit.model.asking import Case
from harness.audit.model.market import times
from harness.audit.model.trial import Trial, by_window, silent_of, statuses_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.audit.model.market import Market
    from harness.audit.model.trial import Answered
    from harness.contract.profile import WindowRule
    from harness.contract.series import Second

FACTORS = (0.1, 0.5, 2.0, 10.0, 15.0)
_WINDOWS = 5
_RECORDED = "as recorded"


def is_plausible(seconds: Sequence[Second], rule: WindowRule) -> bool:
    """Whether all prices lie in the range that the profile calls plausible."""
    ranges = [rule.fields[name].plausible or (0.0, float("inf")) for name in rule.prices]
    low, high = max(low for low, _ in ranges), min(high for _, high in ranges)
    return all(low <= second.low and second.high <= high for second in seconds)


def _cases(market: Market) -> list[Case]:
    return [case for of, window in enumerate(market.some(_WINDOWS)) for case in _scaled(market, of, window)]


def _scaled(market: Market, of: int, window: tuple[Second, ...]) -> Iterator[Case]:
    yield Case(seconds=window, of=of, label=_RECORDED)
    for factor in FACTORS:
        scaled = tuple(times(second, factor) for second in window)
        if is_plausible(scaled, market.profile.window):
            yield Case(seconds=scaled, of=of, label=f"prices times {factor:g}")


def _judge(market: Market, answered: Sequence[Answered]) -> Iterable[Finding]:
    silent = silent_of(answered)
    if silent:
        yield _refused(silent, len(answered))
    yield _bound(market, answered)


def _refused(silent: Sequence[Answered], asked: int) -> Finding:
    prices = [one.case.last for one in silent]
    return Finding(
        id="level.refused",
        severity=Severity.BLOCKS,
        says=f"{len(silent)} of {asked} windows at other price levels, {min(prices):g} to {max(prices):g} USD, "
        f"got no prediction: {statuses_of(silent)}.",
        advice="Take every price that the profile calls plausible: the market will get there without asking.",
        numbers={"windows": asked, "refused": len(silent), "least_usd": min(prices), "largest_usd": max(prices)},
    )


def _bound(market: Market, answered: Sequence[Answered]) -> Finding:
    """Compare the predicted moves at every level with those of the same windows as they were recorded."""
    worst, at_usd = max(_deviations(answered), default=(0.0, 0.0))
    tolerance = market.profile.prediction.quiet_tolerance
    if worst > tolerance:
        name, severity, what = "bound_to_a_level", Severity.BLOCKS, "it knows the prices that it was trained on alone"
    elif worst > market.typical_move:
        name, severity, what = "not_invariant", Severity.WARNS, "part of its answer is in dollars, not in shares"
    else:
        name, severity, what = "invariant", Severity.INFORMS, "the level does not matter to it"
    return Finding(
        id=f"level.{name}",
        severity=severity,
        says=f"At prices times {FACTORS[0]:g} to {FACTORS[-1]:g} the predicted move differs by up to {worst:.3g} of "
        f"the price (a usual move is {market.typical_move:.3g}): {what}.",
        advice="Nothing to do."
        if severity is Severity.INFORMS
        else "Give the model prices relative to the last close and have it predict a relative move.",
        numbers={"difference_share": worst, "worst_level_usd": at_usd, "usual_move_share": market.typical_move},
    )


def _deviations(answered: Sequence[Answered]) -> Iterator[tuple[float, float]]:
    for recorded, *scaled in by_window(answered):
        for one in scaled:
            if one.share is not None and recorded.share is not None:
                yield abs(one.share - recorded.share), one.case.last


LEVEL = Trial(name="other price levels", cases=_cases, judge=_judge)
