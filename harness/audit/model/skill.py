"""Skill: does the model beat what needs no model, over all and in each regime of the market? Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.audit.finding import Finding, Number, Severity
from harness.audit.forecast_test import DieboldMariano, Ratio, diebold_mariano, rmse_ratio
from harness.audit.model.track import REGIMES, RIVALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.audit.model.track import Regime, Rival, Series, Track
    from harness.audit.model.trial import Told

# Of fewer windows nothing is said: their interval is as wide as the question.
LEAST = 200
LEAST_OF_REGIME = 60
# An error of a fifth of persistence's: no one-second price can be foreseen so well.
_TOO_GOOD = 0.2
_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The model beside one rival: a ratio of root mean square errors, and the test of equal accuracy."""

    ratio: Ratio
    test: DieboldMariano


def skill_findings(track: Track, *, limit: float) -> Iterator[Told]:
    """Compare with persistence, drift and mean; `limit` is how many times persistence's error the contract grants."""
    if len(track.truths) < LEAST:
        yield f"skill: {len(track.truths)} windows got a number, and {LEAST} are needed"
        return
    if not track.errors_of("persistence").any():
        yield "skill: no close of the recording differs from the one before, so there is nothing to foresee"
        return
    overall = {rival: _compared(track.errors, track.errors_of(rival)) for rival in RIVALS}
    numbers = _numbers(track, overall)
    yield from _against_persistence(overall["persistence"], numbers, limit)
    for rival in ("drift", "mean"):
        if overall[rival].test.first_is_worse:
            yield _worse_than(rival, overall[rival])
    is_bad_everywhere = overall["persistence"].ratio.low > limit
    yield from _by_regime(track, limit=math.inf if is_bad_everywhere else limit)


def _compared(errors: Series, rivals_errors: Series) -> Comparison:
    test = diebold_mariano(np.square(errors), np.square(rivals_errors))
    return Comparison(ratio=rmse_ratio(errors, rivals_errors), test=test)


def _numbers(track: Track, overall: dict[Rival, Comparison]) -> dict[str, Number]:
    moved = (track.truths != track.last) & (track.predictions != track.last)
    hits = np.sign(track.truths - track.last)[moved] == np.sign(track.predictions - track.last)[moved]
    numbers: dict[str, Number] = {"windows": len(track.truths), "rmse_usd": _rms(track.errors)}
    for rival, found in overall.items():
        numbers[f"{rival}_rmse_usd"] = _rms(track.errors_of(rival))
        numbers |= _as_numbers(rival, found)
    return numbers | {"direction_hits_share": float(hits.mean()) if len(hits) else None, "moved_windows": len(hits)}


def _as_numbers(name: str, found: Comparison) -> dict[str, Number]:
    return {
        f"{name}_ratio": _finite(found.ratio.value),
        f"{name}_ratio_low": _finite(found.ratio.low),
        f"{name}_ratio_high": _finite(found.ratio.high),
        f"{name}_dm_statistic": _finite(found.test.statistic),
        f"{name}_dm_p": found.test.p,
    }


def _against_persistence(found: Comparison, numbers: dict[str, Number], limit: float) -> Iterator[Told]:
    ratio, test = found.ratio, found.test
    says = (
        f"Its error is {ratio.value:.3f} times that of persistence (95 % between {ratio.low:.3f} and {ratio.high:.3f}; "
        f"Diebold-Mariano p {test.p:.3g}; {numbers['windows']} windows)"
    )
    if ratio.low <= limit < ratio.high:
        yield f"skill: {says[0].lower()}{says[1:]}: the interval holds the limit of {limit:g}, more windows would tell"
    if ratio.low > limit:
        yield _finding(
            "worse_than_persistence", Severity.BLOCKS, f"{says}: over the limit of {limit:g}.", _WORSE, numbers
        )
    elif test.first_is_worse:
        yield _finding(
            "below_persistence", Severity.WARNS, f"{says}: repeating the last close is better.", _WORSE, numbers
        )
    elif test.first_is_better:
        yield _finding("beats_persistence", Severity.INFORMS, f"{says}: it knows something.", _GOOD, numbers)
    else:
        none = f"{says}: no difference that this recording could tell."
        yield _finding("none_beyond_persistence", Severity.INFORMS, none, _NONE, numbers)
    if ratio.high < _TOO_GOOD:
        yield _finding("too_good", Severity.WARNS, f"{says}: too good to be true.", _LEAK, {"ratio": ratio.value})


_WORSE = "Serve persistence until a model beats it: it costs nothing and errs less."
_GOOD = "Confirm it on days that neither training nor this audit has seen."
_NONE = "Ask what the model is for: persistence does the same without a container."
_LEAK = "Look for the truth in the inputs or for this recording in the training set; audit it on days it never saw."


def _worse_than(rival: Rival, found: Comparison) -> Finding:
    what = {"drift": "the last close and the window's slope", "mean": "the window's mean"}.get(rival, rival)
    return Finding(
        id=f"skill.worse_than_{rival}",
        severity=Severity.WARNS,
        says=f"Its error is {found.ratio.value:.3f} times that of {what} (Diebold-Mariano p {found.test.p:.3g}).",
        advice="A model that loses to this has learned less than nothing: look at the order of its inputs.",
        numbers=_as_numbers(rival, found),
    )


def _by_regime(track: Track, *, limit: float) -> Iterator[Finding]:
    numbers: dict[str, Number] = {}
    told: list[str] = []
    for regime in REGIMES:
        of_it = track.regimes == regime
        numbers[f"{regime}_windows"] = int(of_it.sum())
        naive = track.errors_of("persistence")[of_it]
        if of_it.sum() < LEAST_OF_REGIME or not naive.any():
            continue
        found = _compared(track.errors[of_it], naive)
        numbers |= _as_numbers(regime, found)
        told.append(f"{regime} {found.ratio.value:.3f} ({found.ratio.low:.3f} to {found.ratio.high:.3f})")
        yield from _failing(regime, found, limit=limit)
    says = f"Its error over persistence's by regime: {', '.join(told) or 'too few windows of any'}."
    yield _finding(
        "by_regime", Severity.INFORMS, says, "Watch the volatile windows: errors cost the most there.", numbers
    )


def _failing(regime: Regime, found: Comparison, *, limit: float) -> Iterator[Finding]:
    # Three regimes are tested: a third of the level each keeps the chance of one false alarm at 5 % (Bonferroni).
    is_worse = found.test.p < _ALPHA / len(REGIMES) and found.test.statistic > 0
    is_over = found.ratio.low > limit
    if math.isfinite(limit) and (is_over or is_worse):
        yield Finding(
            id=f"skill.fails_when_{regime}",
            severity=Severity.BLOCKS if is_over else Severity.WARNS,
            says=f"In {regime} windows its error is {found.ratio.value:.3f} times that of persistence "
            f"(95 % between {found.ratio.low:.3f} and {found.ratio.high:.3f}).",
            advice=f"Train on {regime} windows too, scaled by their own volatility, or answer the last close there.",
            numbers=_as_numbers(regime, found),
        )


def _finding(name: str, severity: Severity, says: str, advice: str, numbers: dict[str, Number]) -> Finding:
    return Finding(id=f"skill.{name}", severity=severity, says=says, advice=advice, numbers=numbers)


def _rms(errors: Series) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
