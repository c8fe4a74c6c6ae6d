"""Watches an endpoint in a release: collects what each variant got, and what the champion says to the same windows."""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.release.rollout.record import Beat, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.release.endpoint import Endpoint, Invocation
    from harness.release.rollout.callers import Callers
    from harness.release.rollout.facts import Facts

# So long the champion's answer to the same window is waited for; then the call is told without it.
_WAITS_S = 5.0


@dataclass(slots=True, kw_only=True)
class Observer:
    """One release as it runs; `most_share` is the share of the traffic up to which every window is asked again.

    Once it `is_over` nothing is asked again.
    """

    endpoint: Endpoint
    callers: Callers
    facts: Facts
    champion: str
    challenger: str
    most_share: float
    begin_s: float = field(default_factory=time.time)
    is_over: bool = False
    _after: int = 0
    _waiting: dict[int, tuple[Invocation, float]] = field(default_factory=dict)
    _moments: list[float] = field(default_factory=lambda: [0.0])
    _shares: list[float] = field(default_factory=lambda: [0.0])
    _chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - which to ask again, no secret

    def note_share(self, share: float) -> None:
        """Note that the challenger gets another share of the calls from now on."""
        self._moments.append(time.time() - self.begin_s)
        self._shares.append(share)

    def look(self) -> Iterator[Seen]:
        """Return what has come to its end since the last look."""
        for one in self.endpoint.invocations(after=self._after):
            self._after = max(self._after, one.number)
            yield from self._heard(one)
        for number in [number for number, (_, since_s) in self._waiting.items() if time.time() - since_s > _WAITS_S]:
            yield self._seen(self._waiting.pop(number)[0], None)

    def beat(self) -> Beat:
        """Look at the challenger's containers, and at how the callers fare."""
        tally, count = self.endpoint.tallies()[self.challenger], self.callers.count
        return Beat(
            at_s=time.time() - self.begin_s,
            ready=tally.ready,
            replaced=tally.replaced,
            sent=count.sent,
            answered=count.answered,
            spoilt=count.spoilt,
            lost=count.lost,
        )

    def _heard(self, one: Invocation) -> Iterator[Seen]:
        if one.is_shadow:
            return
        number = self.callers.checked(one.inference_id)
        if number is not None:
            waiting = self._waiting.pop(number, None)
            if waiting is not None:
                yield self._seen(waiting[0], one)
        elif one.variant == self.challenger and self._is_asked_again(one):
            self._waiting[one.number] = (one, time.time())
            self.callers.check(one.number, one.body, one.content_type, variant=self.champion)
        else:
            yield self._seen(one, None)

    def _is_asked_again(self, one: Invocation) -> bool:
        return not self.is_over and self._chance.random() * self._share_at(one) <= self.most_share

    def _seen(self, one: Invocation, check: Invocation | None) -> Seen:
        ask = self.callers.asked(one.inference_id)
        if ask is None:
            self.callers.count.add_theirs(one.outcome)
        return self.facts.seen(
            one,
            at_s=one.began_at_s - self.begin_s,
            share=self._share_at(one),
            is_challenger=one.variant == self.challenger,
            ask=ask,
            check=check,
        )

    def _share_at(self, one: Invocation) -> float:
        return self._shares[bisect_right(self._moments, one.began_at_s - self.begin_s) - 1]
