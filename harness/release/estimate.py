"""An estimate: a value with its interval, and how sure it is that the value is not zero."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value of `of` observations with the bounds of its interval, and the two-sided p of "it is zero"."""

    value: float
    low: float
    high: float
    p: float
    of: int

    @property
    def half(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2
