"""Calibration: does the interval that an answer gives hold what it promises? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.audit.finding import Finding, Severity
from harness.audit.forecast_test import mean_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.audit.model.interval import Interval
    from harness.audit.model.track import Series
    from harness.audit.model.trial import Answered

_LEAST = 100
# So far may coverage lie from what is promised without being of consequence.
_SLACK = 0.05


def calibration_findings(answered: Sequence[Answered], truths: Sequence[float]) -> Iterator[Finding]:
    """Compare intervals with what came next; nothing is said of a model that gives none."""
    given = [
        (one.reply.interval, one.reply.prediction, truth)
        for one, truth in zip(answered, truths, strict=True)
        if one.reply.interval is not None
    ]
    if len(given) < _LEAST:
        return
    outside = sum(1 for interval, found, _ in given if found is not None and not interval.low <= found <= interval.high)
    if outside:
        yield _outside(outside, len(given))
    hits = np.array([float(interval.low <= truth <= interval.high) for interval, _, truth in given])
    yield _coverage(hits, [interval for interval, _, _ in given])


def _outside(count: int, windows: int) -> Finding:
    return Finding(
        id="calibration.prediction_outside",
        severity=Severity.BLOCKS,
        says=f"{count} of {windows} predictions lie outside their own interval.",
        advice="Find out which of the two is wrong: they do not come from one distribution.",
        numbers={"windows": windows, "outside": count},
    )


def _coverage(hits: Series, intervals: Sequence[Interval]) -> Finding:
    promised, found = float(np.mean([interval.level for interval in intervals])), mean_of(hits)
    width_usd = float(np.mean([interval.high - interval.low for interval in intervals]))
    is_narrow, is_wide = found.high < promised - _SLACK, found.low > min(promised + _SLACK, 1 - (1 - promised) / 10)
    name = "too_narrow" if is_narrow else "too_wide" if is_wide else "kept"
    # An interval that holds less than half of what it promises is no interval.
    severity = Severity.INFORMS if not (is_narrow or is_wide) else Severity.WARNS
    return Finding(
        id=f"calibration.{name}",
        severity=Severity.BLOCKS if found.high < promised / 2 else severity,
        says=f"Intervals promise {promised:.1%} and hold {found.value:.1%} of the next closes (95 % between "
        f"{found.low:.1%} and {found.high:.1%}); they are {width_usd:.4g} USD wide on average.",
        advice="Nothing to do."
        if name == "kept"
        else "Fit the interval on days that training has not seen: conformal prediction needs no model of the errors.",
        numbers={
            "windows": len(hits),
            "promised_share": promised,
            "held_share": found.value,
            "held_share_low": found.low,
            "held_share_high": found.high,
            "width_usd": width_usd,
        },
    )
