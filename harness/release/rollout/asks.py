"""What callers ask in a release: recorded windows and generated ones, jumps, silence, and other price levels."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.audit.model.market import times
from harness.release.question import good_questions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.release.question import Question

# Asked in turn, again and again: a window that comes again ends at another moment.
_COUNT = 4_000
# One in so many asks for another price: what a model learnt of its usual one must not show.
_EVERY = 20
_LEVELS = (1.4, 2.4, 37.0, 900_000.0)
_MEASURED = ("history", "quiet", "trending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A good window to send; `truth` is what came next, USD, None where it does not measure a model's skill."""

    question: Question
    truth: float | None

    @property
    def last(self) -> float:
        """The last close, in USD."""
        return self.question.seconds[-1].close


def asks_of(profile: Profile, history: Sequence[Second] | None, *, seed: int) -> list[Ask]:
    """Return what to ask, in an order to repeat by the seed."""
    questions = good_questions(profile, history, count=_COUNT, seed=seed, is_spread=True)
    random.Random(seed).shuffle(questions)  # noqa: S311 - an order to repeat, no secret
    return [_ask(question, at) for at, question in enumerate(questions)]


def _ask(question: Question, at: int) -> Ask:
    if at % _EVERY == 0:
        factor = _LEVELS[at // _EVERY % len(_LEVELS)] / question.seconds[-1].close
        return Ask(
            question=replace(question, seconds=tuple(times(one, factor) for one in question.seconds)), truth=None
        )
    return Ask(question=question, truth=question.truth if question.regime in _MEASURED else None)
