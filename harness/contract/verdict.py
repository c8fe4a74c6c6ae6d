"""The three verdicts and how they merge."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(StrEnum):
    """PASSED and FAILED speak of the container; UNKNOWN says that we, or the machine, could not tell."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"

    @property
    def exit_status(self) -> int:
        """The exit status of a command that ends in this verdict."""
        return _EXIT_STATUS[self]


_EXIT_STATUS = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.UNKNOWN: 2}
_WEIGHT = {Verdict.PASSED: 0, Verdict.UNKNOWN: 1, Verdict.FAILED: 2}


def merge(verdicts: Iterable[Verdict]) -> Verdict:
    """Merge verdicts: FAILED beats UNKNOWN beats PASSED; of nothing, nothing is known."""
    return max(verdicts, key=_WEIGHT.__getitem__, default=Verdict.UNKNOWN)
