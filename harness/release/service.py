"""How well is it served: latency, answers over the budget, errors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.contract.verdict import Verdict
from harness.load.share import percentile
from harness.release.comparison import hits_of
from harness.release.finding import Finding, Number

if TYPE_CHECKING:
    from harness.audit.forecast_test import Series
    from harness.release.comparison import Comparison
    from harness.release.record import Side
    from harness.release.sample import Sample
    from harness.release.yardstick import Hits

# No answer is quicker; a clock that shows none has no logarithm.
_LEAST_S = 1e-6


def judge_latency(comparison: Comparison) -> Finding:
    """Compare how long answers to the same window took.

    What the champion differs from itself by is no fault of the challenger's.
    """
    ratios, least = _log_ratios(comparison.match), comparison.yardstick.least
    if len(ratios) < least:
        says = f"{len(ratios)} pairs of answers, and {least} are needed"
        return Finding(subject="latency", verdict=Verdict.UNKNOWN, says=says, more_windows=least - len(ratios))
    found = comparison.yardstick.shift(ratios, alpha=comparison.alpha)
    noise, limit = _noise(comparison), math.log1p(comparison.header.release.latency_margin)
    verdict = comparison.verdict(found, limit=limit, none=0.0, slack=noise)
    more = comparison.more_windows(found, limit=limit, none=0.0) if verdict is Verdict.UNKNOWN else None
    shift, low, high, itself = (math.expm1(value) for value in (found.value, found.low, found.high, noise))
    ours, theirs = (_milliseconds(comparison.match, side) for side in ("challenger", "champion"))
    says = (
        f"answers take {shift:+.1%} ({low:+.1%} to {high:+.1%}, p {found.p:.2g}), the champion beside itself "
        f"{itself:.1%}; p50 {ours[0]:.2f} ms beside {theirs[0]:.2f}, p99 {ours[1]:.2f} beside {theirs[1]:.2f}"
    )
    numbers: dict[str, Number] = {"shift": shift, "shift_low": low, "shift_high": high, "p": found.p, "floor": itself}
    numbers |= {"p50_ms": ours[0], "p99_ms": ours[1], "champion_p50_ms": theirs[0], "champion_p99_ms": theirs[1]}
    return Finding(subject="latency", verdict=verdict, says=says, numbers=numbers, more_windows=more)


def judge_over_budget(comparison: Comparison) -> Finding:
    """Count the answers to good windows that took longer than the budget."""
    sample, header = comparison.match, comparison.header
    late = {side: sample.of(side).elapsed_s[sample.is_good] > header.budget_s for side in ("challenger", "champion")}
    hits = hits_of(late["challenger"], late["champion"])
    return _counted("over budget", comparison, hits, limit=header.over_budget_share)


def judge_errors(comparison: Comparison) -> Finding:
    """Count what was no answer, a server's error, or a good window without a number."""
    hits = hits_of(comparison.match.errors("challenger"), comparison.match.errors("champion"))
    return _counted("errors", comparison, hits, limit=comparison.header.release.error_share)


def _counted(subject: Literal["over budget", "errors"], comparison: Comparison, hits: Hits, *, limit: float) -> Finding:
    verdict = comparison.verdict_on(hits, limit=limit)
    p, upper = comparison.yardstick.more_p(hits), comparison.yardstick.upper(hits.ours, hits.of, alpha=comparison.alpha)
    says = (
        f"{hits.ours} of {hits.of}, the champion's {hits.others} (p {p:.2g}); "
        f"its share lies below {upper:.2%}, {limit:.2%} are granted"
    )
    numbers: dict[str, Number] = {"challenger": hits.ours, "champion": hits.others, "both": hits.both, "of": hits.of}
    more = comparison.more_pairs(hits, limit=limit) if verdict is Verdict.UNKNOWN else None
    return Finding(
        subject=subject, verdict=verdict, says=says, numbers=numbers | {"p": p, "upper": upper}, more_windows=more
    )


def _log_ratios(sample: Sample) -> Series:
    """Return the logarithm of the challenger's time over the champion's, [n], where both answered."""
    where = sample.both_answered
    ours, theirs = sample.challenger.elapsed_s[where], sample.champion.elapsed_s[where]
    return np.asarray(np.log(np.maximum(ours, _LEAST_S) / np.maximum(theirs, _LEAST_S)))


def _noise(comparison: Comparison) -> float:
    """Return by how much the champion's two containers differ, as the size of a logarithm."""
    ratios = _log_ratios(comparison.floor)
    return abs(float(np.median(ratios))) if len(ratios) else 0.0


def _milliseconds(sample: Sample, side: Side) -> tuple[float, float]:
    ordered = sorted(sample.of(side).elapsed_s[sample.both_answered].tolist())
    return percentile(ordered, 0.5) * 1000, percentile(ordered, 0.99) * 1000
