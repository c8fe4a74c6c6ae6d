"""Predictions against the last close, against earlier prices, and against what came true. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.alerts.monitor.checks import PREDICTION_DOWN, PREDICTION_FRESH, PREDICTION_SAME, PREDICTION_UP, SKILL
from harness.alerts.monitor.jumps import deviation, limit
from harness.alerts.monitor.sight import Finding, Sight, found
from harness.contract.judge import is_same
from harness.contract.records import SECOND_NS, timestamp
from harness.contract.skill import skill_of
from harness.contract.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.contract.profile import Profile

# A prediction that lies so near to an old price, as a share of the band, follows that one.
_NEAR_SHARE = 0.25
_OLD_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A prediction made at the second `as_of_s` after a window that ended with `close`; `truth` is what came."""

    as_of_s: int
    close: float
    predicted: float
    truth: float | None = None

    @property
    def gap(self) -> float:
        """How far the prediction lies from the last close, as a share of it."""
        return self.predicted / self.close - 1


def come_true(forecasts: Iterable[Forecast], prices: Mapping[int, float], *, horizon_s: int) -> list[Forecast]:
    """Fill in what came true by now."""
    return [
        forecast if forecast.truth is not None else replace(forecast, truth=prices.get(forecast.as_of_s + horizon_s))
        for forecast in forecasts
    ]


def check_forecasts(new: Sequence[Forecast], prices: Mapping[int, float], profile: Profile) -> Sight:
    """Find the new predictions that jumped away from their last close, or that follow a price of long ago."""
    if not new:
        return Sight()
    scale = deviation(prices)
    far = [forecast for forecast in new if abs(forecast.gap) > limit(scale, profile.monitor)]
    stale = [(one, old_s) for one in far if (old_s := _followed(one, prices, profile)) is not None]
    jumped = [one for one in far if one not in [old for old, _ in stale]]
    up, down = ([one for one in jumped if (one.gap > 0) == is_up] for is_up in (True, False))
    findings = [
        Finding(check=check, evidence=_jumped(some, new, scale))
        for check, some in ((PREDICTION_UP, up), (PREDICTION_DOWN, down))
        if some
    ]
    findings += [Finding(check=PREDICTION_FRESH, evidence=_stale(stale, len(new)))] if stale else []
    return Sight(covered=(PREDICTION_UP, PREDICTION_DOWN, PREDICTION_FRESH), findings=tuple(findings))


def check_same(earlier: Mapping[int, Forecast], again: Iterable[Forecast], profile: Profile) -> Sight:
    """Compare predictions with the cached ones from the same windows; nothing is said where no window came twice."""
    pairs = [(earlier[one.as_of_s], one) for one in again if one.as_of_s in earlier]
    same_window = [(old, new) for old, new in pairs if old.close == new.close]
    if not same_window:
        return Sight()
    other = [(old, new) for old, new in same_window if not is_same(old.predicted, new.predicted, profile.prediction)]
    told = (
        [f"{len(other)} of {len(same_window)}: {other[0][0].predicted}, then {other[0][1].predicted}"] if other else []
    )
    return found(PREDICTION_SAME, *told)


def check_skill(forecasts: Iterable[Forecast], profile: Profile, *, now_s: float) -> Sight:
    """Hold the errors of the last minutes against persistence's; nothing is said where there are too few to tell."""
    begin_s = now_s - profile.monitor.skill_minutes * 60
    known = [(one, one.truth) for one in forecasts if one.truth is not None and one.as_of_s >= begin_s]
    if len(known) < profile.monitor.skill_least:
        return Sight()
    skill = skill_of(
        [one.predicted for one, _ in known],
        [one.close for one, _ in known],
        [truth for _, truth in known],
        limit=profile.prediction.skill_limit,
        least=profile.monitor.skill_least,
    )
    if skill.verdict is Verdict.UNKNOWN:
        return Sight()
    return found(SKILL, *([str(skill)] if skill.verdict is Verdict.FAILED else []))


def _followed(forecast: Forecast, prices: Mapping[int, float], profile: Profile) -> int | None:
    """Return the newest second of long ago whose price a prediction follows, None where it follows none."""
    near = _NEAR_SHARE * profile.monitor.jump_band
    old = [
        at
        for at, price in prices.items()
        if forecast.as_of_s - at > _OLD_S and abs(forecast.predicted / price - 1) < near
    ]
    return max(old, default=None)


def _jumped(some: Sequence[Forecast], new: Sequence[Forecast], scale: float) -> str:
    first = some[0]
    later = [one for one in new if one.as_of_s > first.as_of_s]
    kind = "not settled yet"
    if later:
        kind = "level shift" if all(one in some for one in later) else "spike and back"
    size = f"{abs(first.gap) / scale:,.0f} median absolute deviations" if scale else "nothing moved before"
    return f"{len(some)} of {len(new)} predictions, {_shown(first)}: {kind}; {size}"


def _stale(stale: Sequence[tuple[Forecast, int]], count: int) -> str:
    first, old_s = stale[0]
    age_s = first.as_of_s - old_s
    follows = f"stale reference, it follows the price of {age_s} s before"
    return f"{len(stale)} of {count} predictions, {_shown(first)}: {follows}"


def _shown(forecast: Forecast) -> str:
    when = timestamp(forecast.as_of_s * SECOND_NS)
    known = f", {forecast.truth:,.2f} came true" if forecast.truth is not None and math.isfinite(forecast.truth) else ""
    return f"the first {forecast.predicted:,.2f} at {when} after {forecast.close:,.2f} ({forecast.gap:+.1%}){known}"
