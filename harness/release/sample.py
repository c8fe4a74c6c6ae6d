"""The pairs of a run as columns: what the judges reckon with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.audit.forecast_test import Series
    from harness.audit.model.asking import Reply
    from harness.release.record import Record, Run, Side

    Flags = NDArray[np.bool_]

BROKEN = "broken"
_BPS = 1e4
_SERVER_ERROR = 500
# A prediction further off, in hundredths of a percent, is wrong enough; its square is still a number.
_BEYOND_BPS = 1e30


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one side answered, [n]: HTTP's status (0: no answer), the prediction in USD (NaN: none), seconds."""

    statuses: NDArray[np.int64]
    predictions: Series
    elapsed_s: Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Pairs, [n], regime by regime in the order of time; a truth is NaN where nothing came next."""

    regimes: NDArray[np.str_]
    ways: NDArray[np.str_]
    lasts: Series
    truths: Series
    champion: Column
    challenger: Column

    def __len__(self) -> int:
        return len(self.lasts)

    @property
    def is_good(self) -> Flags:
        """Which windows must be answered."""
        return np.asarray(self.regimes != BROKEN)

    @property
    def both_answered(self) -> Flags:
        """Which good windows got a number from both."""
        told = np.isfinite(self.champion.predictions) & np.isfinite(self.challenger.predictions)
        return np.asarray(self.is_good & told)

    def errors(self, side: Side) -> Flags:
        """Return where a side erred: no answer or a server's error to any window, no number to a good one."""
        column = self.of(side)
        failed = (column.statuses == 0) | (column.statuses >= _SERVER_ERROR)
        return np.asarray(failed | (self.is_good & ~np.isfinite(column.predictions)))

    def of(self, side: Side) -> Column:
        """Return a side's column."""
        return self.champion if side == "champion" else self.challenger

    def misses_bps(self, side: Side, where: Flags) -> Series:
        """Return prediction minus truth in hundredths of a percent of the last close."""
        return self._off_bps(self.of(side).predictions, where)

    def naive_misses_bps(self, where: Flags) -> Series:
        """Return how far the last close lies from the truth, likewise."""
        return self._off_bps(self.lasts, where)

    def _off_bps(self, predictions: Series, where: Flags) -> Series:
        off = (predictions[where] - self.truths[where]) / self.lasts[where] * _BPS
        return np.clip(off, -_BEYOND_BPS, _BEYOND_BPS)

    def differences_bps(self, where: Flags) -> Series:
        """Return how far apart the two predictions lie, in hundredths of a percent of the last close."""
        apart = np.abs(self.challenger.predictions[where] - self.champion.predictions[where])
        return np.asarray(apart / self.lasts[where] * _BPS)


def sample_of(record: Record, run: Run) -> Sample:
    """Return the columns of one run's pairs."""
    pairs = sorted((one for one in record.pairs if one.run == run), key=lambda one: (one.regime, one.at))
    return Sample(
        regimes=np.array([one.regime for one in pairs], dtype=np.str_),
        ways=np.array([one.way for one in pairs], dtype=np.str_),
        lasts=np.array([one.last for one in pairs], dtype=np.float64),
        truths=np.array([np.nan if one.truth is None else one.truth for one in pairs], dtype=np.float64),
        champion=_column([one.champion for one in pairs]),
        challenger=_column([one.challenger for one in pairs]),
    )


def _column(replies: list[Reply]) -> Column:
    return Column(
        statuses=np.array([one.status or 0 for one in replies], dtype=np.int64),
        predictions=np.array([np.nan if one.prediction is None else one.prediction for one in replies], dtype=float),
        elapsed_s=np.array([one.elapsed_s for one in replies], dtype=np.float64),
    )
