"""What is found out about a container: the profile so far, how each key was found, what stays unknown or is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.contract.profile import Profile


class NothingFound(Exception):  # noqa: N818 - named by what happened
    """There is nothing to describe: the container does not stay up, or nothing answers; the message has a way out."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """The profile as far as it is known; `how` says of a key (`http.ping_path`) how it was found.

    What is waived is what the container does otherwise on purpose, as far as can be seen. What is merely wrong
    (`faults`) is not waived: the gate finds it too.
    """

    profile: Profile
    how: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    is_understood: bool = False

    def find(self, place: str, value: object, how: str) -> None:
        """Set a key, named as `table.key`."""
        table, _, key = place.partition(".")
        changed = replace(getattr(self.profile, table), **{key: value})
        self.profile = replace(self.profile, **{table: changed})
        self.how[place] = how

    def waive(self, rule_id: str, reason: str) -> None:
        """Waive a rule for now; a reason that is there already stays."""
        if rule_id not in self.profile.waived:
            self.profile = replace(self.profile, waived={**self.profile.waived, rule_id: reason})

    def leave_open(self, what: str) -> None:
        """Keep what could not be found out."""
        if what not in self.unknown:
            self.unknown.append(what)

    def blame(self, rule_id: str, what: str) -> None:
        """Keep what is wrong, and no promise: one a rule is enough."""
        if not any(fault.startswith(f"{rule_id}: ") for fault in self.faults):
            self.faults.append(f"{rule_id}: {what}")
