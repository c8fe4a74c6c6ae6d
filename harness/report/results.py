"""The result of each check of a run, kept as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from harness.contract.rules import Suite

# failed: the image broke its contract; error: we could not tell; waived: broken, with the profile's leave.
Outcome = Literal["passed", "failed", "error", "skipped", "waived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check: the rules that it speaks for, those that it found broken, and why; duration in seconds."""

    check: str
    suite: Suite
    rules: tuple[str, ...]
    violated: tuple[str, ...] = ()
    outcome: Outcome
    message: str = ""
    duration_s: float = 0.0

    @property
    def blamed(self) -> tuple[str, ...]:
        """The rules that a failure counts against: those found broken, or all where the check did not say."""
        return self.violated or self.rules
