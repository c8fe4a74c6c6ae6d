"""Against checks that prove nothing: what was meant to be good and was answered, and which breaches were ever sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

_ANSWERED_LEAST = 0.95


class Vacuous(Exception):  # noqa: N818 - named by what happened
    """The suite ran and proved nothing: ours, or the profile's, whatever the checks said."""


@dataclass(slots=True)
class Tally:
    """Counts, over a run, windows that were meant to be good, those answered with 200, and breaches by rule."""

    good: int = 0
    answered: int = 0
    breaches: Counter[str] = field(default_factory=Counter)
    wanted: set[str] = field(default_factory=set)

    def note_good(self, status: int) -> None:
        """Count a window that was meant to be good."""
        self.good += 1
        self.answered += status == 200  # noqa: PLR2004 - HTTP's own number

    def want(self, rule_id: str) -> None:
        """Note that a check is about to break a rule."""
        self.wanted.add(rule_id)

    def note_breach(self, rule_id: str) -> None:
        """Count a window that broke a rule and was sent."""
        self.breaches[rule_id] += 1

    def ensure_worth(self) -> None:
        """Raise `Vacuous` where too few good windows were answered, or a strategy never produced its breach."""
        never = sorted(self.wanted - set(self.breaches))
        if never:
            msg = f"no window was ever sent that breaks {', '.join(never)}"
            raise Vacuous(msg)
        if self.answered < _ANSWERED_LEAST * self.good:
            msg = f"of {self.good} windows that were meant to be good only {self.answered} were answered with 200"
            raise Vacuous(msg)
