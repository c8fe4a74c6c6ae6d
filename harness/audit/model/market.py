"""The recorded series that windows are cut from, and what is usual in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.contract.series import SECOND_NS, Second

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.contract.profile import Profile

# Consecutive windows, so that losses keep their order in time, from so many parts of the recording.
_STRETCHES = 6


class TooShort(ValueError):  # noqa: N818 - named by what happened
    """The recording holds no window with a period after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One entry a period, oldest first; `typical_move` is the root mean square of a period's move, as a share."""

    seconds: Sequence[Second]
    profile: Profile
    typical_move: float

    @property
    def records(self) -> int:
        """How many records a window has."""
        return self.profile.window.records

    def cut(self, begin: int) -> tuple[Second, ...]:
        """Return the window that begins at an entry."""
        return tuple(self.seconds[begin : begin + self.records])

    def close_after(self, begin: int) -> float:
        """Return the close of the period after the window that begins at an entry."""
        return self.seconds[begin + self.records].close

    def begins(self, count: int) -> list[int]:
        """Spread `count` windows, or as many as there are, over stretches of the recording, in the order of time."""
        last = len(self.seconds) - self.records
        if count >= last:
            return list(range(last))
        stretches = min(_STRETCHES, count)
        sizes = [count // stretches + (at < count % stretches) for at in range(stretches)]
        firsts = [(last - sizes[at]) * at // max(stretches - 1, 1) for at in range(stretches)]
        return sorted({first + step for first, size in zip(firsts, sizes, strict=True) for step in range(size)})

    def some(self, count: int) -> list[tuple[Second, ...]]:
        """Return `count` windows from all over the recording."""
        last = len(self.seconds) - self.records
        return [self.cut(last * at // count) for at in range(count)]


def market_of(seconds: Sequence[Second], profile: Profile) -> Market:
    """Make the market of a recording; raise `TooShort` where it has no window with a period after it."""
    if len(seconds) <= profile.window.records:
        least = profile.window.records + 1
        msg = f"the history covers {len(seconds)} periods: a window and what comes after need {least}"
        raise TooShort(msg)
    closes = closes_of(seconds)
    return Market(
        seconds=seconds, profile=profile, typical_move=float(np.sqrt(np.mean(np.square(closes[1:] / closes[:-1] - 1))))
    )


def closes_of(seconds: Sequence[Second]) -> NDArray[np.float64]:
    """Return the closes, [n], in USD."""
    return np.array([second.close for second in seconds])


def times(second: Second, factor: float) -> Second:
    """Return a period with all its prices multiplied."""
    return replace(
        second,
        open=second.open * factor,
        high=second.high * factor,
        low=second.low * factor,
        close=second.close * factor,
    )


def flat(close: float) -> Second:
    """Return a period without a trade, as the caller carries it forward."""
    return Second(
        open=close, high=close, low=close, close=close, volume=0.0, count=0, first_event_ns=0, last_event_ns=SECOND_NS
    )
