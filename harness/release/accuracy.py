"""How good the predictions are: beside what came next, beside persistence, beside the champion's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.contract.verdict import Verdict
from harness.load.share import percentile
from harness.release.comparison import hits_of
from harness.release.finding import Finding, Number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.audit.forecast_test import Series
    from harness.release.comparison import Comparison
    from harness.release.estimate import Estimate
    from harness.release.finding import Subject
    from harness.release.sample import Flags, Sample

Measure = Literal["absolute", "squared"]
# A recorded series says what the market did; a generated one, where there is none, what ours would do.
_RECORDED, _GENERATED = ("history",), ("quiet", "trending")


def judge_loss(comparison: Comparison, measure: Measure) -> Finding:
    """Compare errors in hundredths of a percent with the champion's: the mean may be larger by the margin."""
    subject: Subject = "absolute loss" if measure == "absolute" else "squared loss"
    sample, where = comparison.match, _with_truth(comparison.match)
    ours, theirs = (_losses(sample.misses_bps(side, where), measure) for side in ("challenger", "champion"))
    if len(ours) < comparison.yardstick.least or not theirs.any():
        return _too_few(subject, comparison, len(ours))
    found = comparison.yardstick.ratio(ours, theirs, alpha=comparison.alpha)
    limit = _powered(1 + comparison.header.release.loss_margin, measure)
    verdict = comparison.verdict(found, limit=limit, none=1.0)
    name = {"absolute": "mean absolute error", "squared": "root mean square error"}[measure]
    says = f"its {name} is {_times(found, measure)} the champion's (p {found.p:.2g}, {found.of} windows)"
    more = comparison.more_windows(found, limit=limit, none=1.0) if verdict is Verdict.UNKNOWN else None
    numbers = _numbers(found, measure) | {
        f"{side}_bps": _rooted(float(values.mean()), measure)
        for side, values in (("challenger", ours), ("champion", theirs))
    }
    return Finding(subject=subject, verdict=verdict, says=says, numbers=numbers, more_windows=more)


def judge_skill(comparison: Comparison) -> Finding:
    """Compare both with persistence; the profile says how many times its error the challenger may have."""
    sample, where = comparison.match, _with_truth(comparison.match)
    naive = np.square(sample.naive_misses_bps(where))
    if len(naive) < comparison.yardstick.least or not naive.any():
        return _too_few("skill", comparison, len(naive))
    ours, theirs = (
        comparison.yardstick.ratio(np.square(sample.misses_bps(side, where)), naive, alpha=comparison.alpha)
        for side in ("challenger", "champion")
    )
    limit = comparison.header.skill_limit**2
    verdict = Verdict.PASSED if ours.high <= limit else Verdict.FAILED if ours.low > limit else Verdict.UNKNOWN
    more = comparison.more_windows(ours, limit=limit, none=limit) if verdict is Verdict.UNKNOWN else None
    says = (
        f"its error is {_times(ours, 'squared')} persistence's, the champion's {_times(theirs, 'squared')}; "
        f"{comparison.header.skill_limit:g} times are granted"
    )
    numbers = _numbers(ours, "squared") | {
        f"champion_{key}": value for key, value in _numbers(theirs, "squared").items()
    }
    return Finding(subject="skill", verdict=verdict, says=says, numbers=numbers, more_windows=more)


def judge_difference(comparison: Comparison) -> Finding:
    """Compare predictions with the champion's, regime by regime: few may lie far apart."""
    sample, release = comparison.match, comparison.header.release
    where = sample.both_answered
    apart, regimes = sample.differences_bps(where), sample.regimes[where]
    is_far = apart > release.difference_bps
    by_regime = {str(name): regimes == name for name in np.unique(regimes)}
    alpha = comparison.alpha_each / max(len(by_regime), 1)
    least = {name: _lower(comparison, is_far[of_it], alpha=alpha) for name, of_it in by_regime.items()}
    over = [name for name, share in least.items() if share > release.difference_share]
    hits = hits_of(is_far, np.zeros_like(is_far))
    is_within = comparison.yardstick.upper(hits.ours, hits.of, alpha=comparison.alpha) <= release.difference_share
    verdict = Verdict.FAILED if over else Verdict.PASSED if is_within else Verdict.UNKNOWN
    told, numbers = _distances({name: apart[of_it] for name, of_it in by_regime.items()})
    says = f"predictions apart in bps, the median: {told}; {hits.ours} of {hits.of} by over {release.difference_bps:g}"
    says += f", surely too many when {', '.join(over)}" if over else ""
    more = comparison.more_pairs(hits, limit=release.difference_share) if verdict is Verdict.UNKNOWN else None
    numbers |= {"far": hits.ours, "windows": hits.of, "floor_most_bps": _most(comparison.floor)}
    return Finding(subject="difference", verdict=verdict, says=says, numbers=numbers, more_windows=more)


def _distances(apart: Mapping[str, Series]) -> tuple[str, dict[str, Number]]:
    """Say in words and in numbers how far predictions lie apart in each regime, in hundredths of a percent."""
    told, numbers = [], dict[str, Number]()
    for name, values in apart.items():
        ordered = sorted(values.tolist())
        p50, p99, most = (percentile(ordered, share) for share in (0.5, 0.99, 1.0))
        numbers |= {f"{name}_p50_bps": p50, f"{name}_p99_bps": p99, f"{name}_most_bps": most}
        told.append(f"{name} {p50:.3g} (p99 {p99:.3g}, most {most:.3g})")
    return ", ".join(told) or "none", numbers


def _with_truth(sample: Sample) -> Flags:
    """Return which windows tell how good a prediction was."""
    wanted = _RECORDED if np.isin(sample.regimes, _RECORDED).any() else _GENERATED
    return np.asarray(sample.both_answered & np.isfinite(sample.truths) & np.isin(sample.regimes, wanted))


def _losses(misses: Series, measure: Measure) -> Series:
    return np.abs(misses) if measure == "absolute" else np.square(misses)


def _powered(ratio: float, measure: Measure) -> float:
    return ratio if measure == "absolute" else ratio**2


def _rooted(ratio: float, measure: Measure) -> float:
    return ratio if measure == "absolute" else math.sqrt(max(ratio, 0.0))


def _times(found: Estimate, measure: Measure) -> str:
    value, low, high = (_rooted(one, measure) for one in (found.value, found.low, found.high))
    return f"{value:.3f} times ({low:.3f} to {high:.3f})"


def _numbers(found: Estimate, measure: Measure) -> dict[str, Number]:
    value, low, high = (_rooted(one, measure) for one in (found.value, found.low, found.high))
    return {"ratio": value, "ratio_low": low, "ratio_high": high, "p": found.p, "windows": found.of}


def _too_few(subject: Subject, comparison: Comparison, windows: int) -> Finding:
    least = comparison.yardstick.least
    says = f"{windows} windows with a truth, and {least} are needed" if windows < least else "no price moved"
    return Finding(
        subject=subject,
        verdict=Verdict.UNKNOWN,
        says=says,
        numbers={"windows": windows},
        more_windows=least - windows if windows < least else None,
    )


def _lower(comparison: Comparison, hits: Flags, *, alpha: float) -> float:
    return 1 - comparison.yardstick.upper(int((~hits).sum()), len(hits), alpha=alpha)


def _most(floor: Sample) -> float | None:
    apart = floor.differences_bps(floor.both_answered)
    return float(apart.max()) if len(apart) else None
