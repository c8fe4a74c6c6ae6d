"""The edges of what is good: windows in which nothing moves, and windows in which everything does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.audit.finding import Finding, Severity
from harness.audit.model.asking import Case
from harness.audit.model.level import is_plausible
from harness.audit.model.market import flat, times
from harness.audit.model.trial import Trial, silent_of, statuses_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.audit.model.market import Market
    from harness.audit.model.trial import Answered
    from harness.contract.series import Second

_LEVELS = (0.1, 0.5, 1.0, 2.0, 15.0)
_HUGE = 1e9
_MANY = 1_000_000
_SWING = 0.02
_WICK = 0.03


def _flat_cases(market: Market) -> list[Case]:
    close = market.seconds[-1].close
    windows = [(flat(close * factor),) * market.records for factor in _LEVELS]
    return [
        Case(seconds=window, of=of) for of, window in enumerate(windows) if is_plausible(window, market.profile.window)
    ]


def _judge_flat(market: Market, answered: Sequence[Answered]) -> Iterable[Finding]:
    silent = silent_of(answered)
    if silent:
        yield _no_answer("flat", silent, len(answered), "in which nothing moves")
    worst = max((abs(one.share) for one in answered if one.share is not None), default=0.0)
    is_far, moves = worst > market.profile.prediction.quiet_tolerance, worst > market.typical_move
    severity = Severity.BLOCKS if is_far else Severity.WARNS if moves else Severity.INFORMS
    yield Finding(
        id="flat.moves_without_reason" if moves else "flat.stays",
        severity=severity,
        says=f"In windows where nothing moves it predicts moves of up to {worst:.3g} of the price (a usual move is "
        f"{market.typical_move:.3g}).",
        advice="Look for a bias in the last layer: without movement in, there should be none out."
        if moves
        else "Nothing to do.",
        numbers={"windows": len(answered), "furthest_share": worst, "usual_move_share": market.typical_move},
    )


def _extreme_cases(market: Market) -> list[Case]:
    windows = ((label, window) for recorded in market.some(2) for label, window in _extremes(recorded))
    found = [Case(seconds=window, of=of, label=label) for of, (label, window) in enumerate(windows)]
    return [case for case in found if is_plausible(case.seconds, market.profile.window)]


def _extremes(window: tuple[Second, ...]) -> Iterator[tuple[str, tuple[Second, ...]]]:
    """Yield good windows that no market has shown yet; no close moves by as much as a jump."""
    yield "a huge volume", tuple(replace(second, volume=_HUGE, count=max(second.count, 1)) for second in window)
    yield "a tiny volume", tuple(replace(second, volume=1e-8, count=max(second.count, 1)) for second in window)
    yield "many trades", tuple(replace(second, count=_MANY, volume=max(second.volume, 1.0)) for second in window)
    yield "one huge volume", (*window[:-1], replace(window[-1], volume=_HUGE, count=max(window[-1].count, 1)))
    yield "long wicks", tuple(_wicks(second) for second in window)
    yield "a saw", tuple(times(second, 1 + _SWING * (at % 2)) for at, second in enumerate(window))
    yield "a steady rise", tuple(times(window[0], 1.01**at) for at in range(len(window)))
    yield "a steady fall", tuple(times(window[0], 0.99**at) for at in range(len(window)))


def _wicks(second: Second) -> Second:
    return replace(second, high=second.high * (1 + _WICK), low=second.low * (1 - _WICK))


def _judge_extreme(market: Market, answered: Sequence[Answered]) -> Iterable[Finding]:
    silent, tolerance = silent_of(answered), market.profile.prediction.jump_tolerance
    if silent:
        yield _no_answer("extreme", silent, len(answered), f"with {silent[0].case.label} and the like")
    off = [(abs(one.share), one.case.label) for one in answered if one.share is not None]
    worst, label = max(off, default=(0.0, "none"))
    is_wild = worst > tolerance
    yield Finding(
        id="extreme.wild" if is_wild else "extreme.bounded",
        severity=Severity.BLOCKS if is_wild else Severity.INFORMS,
        says=f"In extreme windows the prediction lies up to {worst:.3g} of the price off the last close, with {label}.",
        advice="Scale inputs by what is usual in the window, clip what lies beyond, and bound the correction."
        if is_wild
        else "Nothing to do.",
        numbers={"windows": len(answered), "furthest_share": worst},
    )


def _no_answer(name: str, silent: Sequence[Answered], asked: int, which: str) -> Finding:
    return Finding(
        id=f"{name}.no_answer",
        severity=Severity.BLOCKS,
        says=f"{len(silent)} of {asked} good windows {which} got no prediction: {statuses_of(silent)}.",
        advice="Look for a division by the window's range or volume, and for numbers that overflow.",
        numbers={"windows": asked, "without_prediction": len(silent)},
    )


FLAT = Trial(name="flat windows", cases=_flat_cases, judge=_judge_flat)
EXTREME = Trial(name="extreme windows", cases=_extreme_cases, judge=_judge_extreme)
