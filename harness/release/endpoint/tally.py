"""What each variant got and gave: counts since it joined, and the last invocations with their bodies."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

# "4xx" and "5xx" are the container's own statuses; "timed out" is the deadline, "lost" a connection that broke,
# "too large" an answer over the payload limit, "unavailable" a call for which no container was ready.
Outcome = Literal["ok", "4xx", "5xx", "timed out", "lost", "too large", "unavailable"]
_NO_ANSWER: tuple[Outcome, ...] = ("timed out", "lost", "unavailable")
_LATENCIES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One call that a variant got, or a copy of one where `is_shadow`; `number` counts them from 1 on.

    `status` is the container's, 0 where no whole answer came. The latency is the container's too: without the router.
    A copy has the `inference_id` of the call that it is a copy of.
    """

    number: int
    variant: str
    inference_id: str
    is_shadow: bool
    began_at_s: float  # Unix time
    latency_s: float
    outcome: Outcome
    status: int
    content_type: str
    body: bytes
    answer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one variant got since it joined, at one moment.

    `requests` counts what was answered or failed; `in_flight` what is not yet. `errors` counts outcomes other than
    "ok"; `over_budget` the answers that took longer than the profile's budget, or never came. `dropped` counts copies
    that a shadow did not get because it was busy. `latencies_s` are the last 10,000, oldest first. `containers` names
    those that are ready, for `docker logs`; `replaced` counts those that were lost and replaced.
    """

    variant: str
    is_shadow: bool
    weight: float
    requests: int = 0
    over_budget: int = 0
    errors: Mapping[Outcome, int] = field(default_factory=dict)
    latencies_s: tuple[float, ...] = ()
    in_flight: int = 0
    dropped: int = 0
    containers: tuple[str, ...] = ()
    replaced: int = 0
    has_left: bool = False

    @property
    def ready(self) -> int:
        """How many containers are ready."""
        return len(self.containers)


class Count:
    """What is being counted of one variant."""

    def __init__(self, budget_s: float) -> None:
        """Begin at nothing."""
        self._budget_s = budget_s
        self.outcomes: Counter[Outcome] = Counter()
        self.over_budget = 0
        self.in_flight = 0
        self.dropped = 0
        self.replaced = 0
        self.latencies_s: deque[float] = deque(maxlen=_LATENCIES)

    def add(self, outcome: Outcome, latency_s: float) -> None:
        """Count one that has come to its end."""
        self.outcomes[outcome] += 1
        self.latencies_s.append(latency_s)
        if latency_s > self._budget_s or outcome in _NO_ANSWER:
            self.over_budget += 1

    def tally(self, variant: str, *, is_shadow: bool, weight: float, containers: tuple[str, ...]) -> Tally:
        """Return what was counted so far."""
        return Tally(
            variant=variant,
            is_shadow=is_shadow,
            weight=weight,
            requests=self.outcomes.total(),
            over_budget=self.over_budget,
            errors={outcome: times for outcome, times in self.outcomes.items() if outcome != "ok"},
            latencies_s=tuple(self.latencies_s),
            in_flight=self.in_flight,
            dropped=self.dropped,
            containers=containers,
            replaced=self.replaced,
        )


class Memory:
    """The last invocations of all variants, in the order in which they ended."""

    def __init__(self, kept: int) -> None:
        """Keep so many."""
        self._kept: deque[Invocation] = deque(maxlen=kept)
        self._numbers = itertools.count(1)

    def next_number(self) -> int:
        """Return the number of the next one."""
        return next(self._numbers)

    def add(self, one: Invocation) -> None:
        """Remember one."""
        self._kept.append(one)

    def after(self, number: int) -> list[Invocation]:
        """Return those with a higher number."""
        return [one for one in self._kept if one.number > number]
