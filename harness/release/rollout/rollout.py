"""A release as it runs: the challenger joins, traffic goes over step by step, and one of the two leaves when idle."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.release.endpoint import CannotServe, VariantConfig
from harness.release.journal import Journal
from harness.release.rollout.callers import Callers
from harness.release.rollout.facts import Facts
from harness.release.rollout.judge import Judge, judgement_of
from harness.release.rollout.machine import Outcome
from harness.release.rollout.observer import Observer
from harness.release.rollout.record import Absence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.release.endpoint import Endpoint
    from harness.release.rollout.asks import Ask
    from harness.release.rollout.judge import Judgement
    from harness.release.rollout.record import Header, Line

CHALLENGER = "challenger"
_BEAT_S = 0.5


@dataclass(slots=True, kw_only=True)
class Rollout:
    """One release on an endpoint that is up, with one production variant; `tell` hears of every step. `run` it once.

    Callers go on for `after_s` once it is decided: whoever is left must serve them all.
    """

    endpoint: Endpoint
    header: Header
    profile: Profile
    asks: Sequence[Ask]
    joining: VariantConfig
    tell: Callable[[Judge], None] = lambda _: None
    after_s: float = 2.0

    def run(self, path: Path) -> Judgement:
        """Release, record to a file, and return how it ended; Ctrl-C rolls back."""
        (champion,) = self.endpoint.weights()
        judge = Judge(self.header)
        callers = Callers(self.endpoint, self.profile, self.asks, rate_per_s=self._own_rate_per_s)
        with Journal(path, self.header) as journal:
            try:
                observer = self._joined(callers, champion)
            except CannotServe as error:
                self._note(Absence(says=f"the challenger did not become ready: {error}"), judge, journal)
            else:
                self._go(judge, journal, observer)
            finally:
                callers.end()
        return judgement_of(judge)

    @property
    def _own_rate_per_s(self) -> float:
        return self.header.rate_per_s if self.asks else 0.0

    def _joined(self, callers: Callers, champion: str) -> Observer:
        """Let the callers begin, and the challenger join without a share of the calls."""
        callers.begin()
        self.endpoint.add_variant(self.joining)
        return Observer(
            endpoint=self.endpoint,
            callers=callers,
            facts=Facts(profile=self.profile),
            champion=champion,
            challenger=self.joining.name,
            most_share=self.header.shares[0],
        )

    def _go(self, judge: Judge, journal: Journal, observer: Observer) -> None:
        try:
            self._steps(judge, journal, observer)
        except KeyboardInterrupt:
            pass
        finally:
            observer.is_over = True
            self._settle(judge, observer)
        time.sleep(self.after_s)
        observer.callers.end()
        self._observe(judge, journal, observer)

    def _steps(self, judge: Judge, journal: Journal, observer: Observer) -> None:
        share = 0.0
        while judge.state.outcome is None:
            if judge.state.share != share:
                share = judge.state.share
                self._weigh(observer, share)
            time.sleep(_BEAT_S)
            self._observe(judge, journal, observer)

    def _observe(self, judge: Judge, journal: Journal, observer: Observer) -> None:
        steps = len(judge.steps)
        for seen in observer.look():
            self._note(seen, judge, journal)
        self._note(observer.beat(), judge, journal)
        if len(judge.steps) > steps:
            self.tell(judge)

    def _weigh(self, observer: Observer, share: float) -> None:
        observer.note_share(share)
        self.endpoint.set_weights({observer.champion: 1 - share, observer.challenger: share})

    def _settle(self, judge: Judge, observer: Observer) -> None:
        """Give all calls to whoever stays; the other leaves once it has answered what it was asked."""
        is_promoted = judge.state.outcome is Outcome.PROMOTED
        self._weigh(observer, 1.0 if is_promoted else 0.0)
        self.endpoint.remove_variant(observer.champion if is_promoted else observer.challenger)

    def _note(self, line: Line, judge: Judge, journal: Journal) -> None:
        journal.add(line)
        judge.take(line)
