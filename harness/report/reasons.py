"""Checks that share one reason: why they were skipped, or why we could not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.legible import clipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.report.results import CheckResult

_NAMED, _REASONS, _TEXT = 12, 40, 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason, the rules and the checks that it concerns; `unnamed` checks are only counted."""

    why: str
    rules: tuple[str, ...]
    checks: tuple[str, ...]
    unnamed: int

    @property
    def number(self) -> int:
        """How many checks it concerns."""
        return len(self.checks) + self.unnamed


def reasons(results: Iterable[CheckResult]) -> tuple[Reason, ...]:
    """Group results by their message, what concerns most checks first."""
    by_message: dict[str, list[CheckResult]] = {}
    for result in results:
        by_message.setdefault(result.message.removeprefix("Skipped: "), []).append(result)
    ordered = sorted(by_message.items(), key=lambda item: -len(item[1]))
    return tuple(_reason(message, mine) for message, mine in ordered[:_REASONS])


def _reason(message: str, mine: Sequence[CheckResult]) -> Reason:
    return Reason(
        why=clipped(message, _TEXT),
        rules=tuple(dict.fromkeys(rule for one in mine for rule in one.rules)),
        checks=tuple(one.check for one in mine[:_NAMED]),
        unnamed=max(0, len(mine) - _NAMED),
    )
