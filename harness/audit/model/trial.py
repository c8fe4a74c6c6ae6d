"""A trial: windows to send, and what the replies tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from harness.audit.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.audit.model.asking import Case, Reply
    from harness.audit.model.market import Market

# A finding, or a sentence on what could not be told.
Told: TypeAlias = Finding | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Cases first, judged after: `judge` is pure and sees each case with its reply."""

    name: str
    cases: Callable[[Market], list[Case]]
    judge: Callable[[Market, Sequence[Answered]], Iterable[Told]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A case and what became of it."""

    case: Case
    reply: Reply

    @property
    def share(self) -> float | None:
        """The predicted move as a share of the last close; None without a prediction."""
        return None if self.reply.prediction is None else self.reply.prediction / self.case.last - 1


def by_window(answered: Sequence[Answered]) -> list[list[Answered]]:
    """Return what was made from one recorded window together, in the order of asking."""
    groups: dict[int, list[Answered]] = {}
    for one in answered:
        groups.setdefault(one.case.of, []).append(one)
    return list(groups.values())


def silent_of(answered: Sequence[Answered]) -> list[Answered]:
    """Return those without a prediction."""
    return [one for one in answered if one.share is None]


def statuses_of(answered: Sequence[Answered]) -> str:
    """Say which statuses came, the rarest last."""
    found = [str(one.reply.status or "no answer") for one in answered]
    return ", ".join(sorted(set(found), key=found.count, reverse=True))
