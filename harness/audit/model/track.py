"""The track record of a model over a recording: what it said, what came, and what the naive rivals would have said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from harness.audit.model.market import closes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.audit.model.market import Market
    from harness.audit.model.trial import Answered

    Series = NDArray[np.float64]

Rival = Literal["persistence", "drift", "mean"]
Regime = Literal["quiet", "trending", "volatile"]
RIVALS: tuple[Rival, ...] = get_args(Rival)
REGIMES: tuple[Regime, ...] = get_args(Regime)
# The fifth of the windows whose prices went the straightest way counts as trending.
_TRENDING_SHARE = 0.2
# A prediction beyond is wrong enough, and the square of its square is still a number.
_BEYOND = 1e60


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Of every window that got a number, in the order of time, [n]: prices in USD, and the regime it belongs to.

    `recent` are the newest closes of each window, the newest last, [n, records].
    """

    predictions: Series
    truths: Series
    recent: Series
    rivals: dict[Rival, Series]
    regimes: NDArray[np.str_]

    @property
    def last(self) -> Series:
        """The last close of each window."""
        return self.rivals["persistence"]

    @property
    def errors(self) -> Series:
        """Prediction minus truth, in USD."""
        return self.predictions - self.truths

    def errors_of(self, rival: Rival) -> Series:
        """Return a rival's prediction minus truth, in USD."""
        return self.rivals[rival] - self.truths


def track_of(market: Market, begins: Sequence[int], answered: Sequence[Answered]) -> Track:
    """Line up predictions with what came next; windows without a prediction are left out."""
    pairs = [(at, one) for at, one in zip(begins, answered, strict=True) if one.reply.prediction is not None]
    recent = np.array([closes_of(one.case.seconds) for _, one in pairs]).reshape(len(pairs), market.records)
    return Track(
        predictions=np.clip([one.reply.prediction or 0.0 for _, one in pairs], -_BEYOND, _BEYOND),
        truths=np.array([market.close_after(at) for at, _ in pairs]),
        recent=recent,
        rivals=rivals_of(recent),
        regimes=regimes_of(recent),
    )


def rivals_of(closes: Series) -> dict[Rival, Series]:
    """Return what needs no model, [n] each: the last close, the last close and the window's slope, the mean."""
    steps = max(closes.shape[1] - 1, 1)
    last = closes[:, -1]
    return {"persistence": last, "drift": last + (last - closes[:, 0]) / steps, "mean": closes.mean(axis=1)}


def regimes_of(closes: Series) -> NDArray[np.str_]:
    """Sort windows by how they compare with the others, [n].

    Trending: the fifth with the highest efficiency (Kaufman's: the way from end to end over the way walked). Of the
    others the calmer half is quiet, the wilder half volatile.
    """
    moves = np.diff(np.log(closes), axis=1)
    walked = np.abs(moves).sum(axis=1)
    efficiency = np.divide(np.abs(moves.sum(axis=1)), walked, out=np.zeros_like(walked), where=walked > 0)
    volatility = np.sqrt(np.square(moves).sum(axis=1))
    is_trending = efficiency > np.quantile(efficiency, 1 - _TRENDING_SHARE) if len(closes) else efficiency > 0
    others = volatility[~is_trending]
    calm = float(np.median(others)) if len(others) else 0.0
    return np.where(is_trending, "trending", np.where(volatility <= calm, "quiet", "volatile"))
