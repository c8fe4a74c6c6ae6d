"""A duel: the same bytes to both sides, one right after the other, who comes first is chance."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from harness.audit.model.asking import Reply, reply_of
from harness.contract.records import content_type, last_whole_second_ns
from harness.release.record import Pair
from harness.system.client import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.contract.profile import Profile
    from harness.release.question import Question
    from harness.release.record import Run, Side
    from harness.system.client import Exchange

# What differs is sent so often in all: chance does not repeat itself.
_TIMES = 3
_SIDES: tuple[Side, Side] = ("champion", "challenger")


class Door(Protocol):
    """Whatever answers bytes; the harness's client is one."""

    def invoke(self, body: bytes | None, content_type: str | None = ...) -> Exchange:
        """Send bytes to the invocations route; raise `NoAnswer` where no whole answer came."""


@dataclass(slots=True, kw_only=True)
class Duel:
    """Both sides of one run, ready to be asked; the order in which they are is repeated by the seed."""

    run: Run
    doors: Mapping[Side, Door]
    profile: Profile
    seed: int = 1
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed} {self.run}")  # noqa: S311 - an order to repeat, no secret

    def meet(self, questions: Sequence[Question]) -> Iterator[Pair]:
        """Ask all questions in random order; ask broken windows again over which the two differ."""
        for question in self._chance.sample(questions, len(questions)):
            pair = self.ask(question)
            yield pair
            if question.regime == "broken" and pair.champion.status != pair.challenger.status:
                yield from (self.ask(question) for _ in range(_TIMES - 1))

    def ask(self, question: Question) -> Pair:
        """Send one window to both."""
        # Built when it is its turn: a window that waits grows old, and an old one is refused.
        body = question.body(self.profile.window, end_ns=last_whole_second_ns(time.time()))
        order = self._chance.sample(_SIDES, len(_SIDES))
        replies = {side: self._reply(side, body, content_type(self.profile.window, question.codec)) for side in order}
        return Pair(
            run=self.run,
            regime=question.regime,
            at=question.at,
            way=question.way,
            last=question.seconds[-1].close,
            truth=question.truth,
            first=order[0],
            champion=replies["champion"],
            challenger=replies["challenger"],
        )

    def _reply(self, side: Side, body: bytes, content_type: str) -> Reply:
        try:
            answer = self.doors[side].invoke(body, content_type).answer
        except NoAnswer as failure:
            return Reply(status=None, elapsed_s=failure.elapsed_s)
        return replace(reply_of(answer, self.profile), interval=None)
