"""A contest of two images: the noise floor first, then the match; all of it is recorded, and then judged."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.release.duel import Duel
from harness.release.finding import Decision
from harness.release.journal import Journal
from harness.release.judge import judge_record
from harness.release.question import broken_questions, good_questions
from harness.release.record import Figure, Header, Loss, Pair, Record
from harness.release.stage import NotServing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.release.judge import Judgement
    from harness.release.question import Question
    from harness.release.record import Run, Side
    from harness.release.stage import Contestant, Stage

# First answers of a fresh container are slow, on both sides alike, and count on neither.
_WARM_UP = 30
_SIDES: tuple[Side, Side] = ("champion", "challenger")


class _Over(Exception):  # noqa: N818 - named by what happened
    """A side does not serve any more: there is nothing left to measure."""


@dataclass(slots=True, kw_only=True)
class Contest:
    """Two images under one promise; `tell` hears how far it is. `hold` it once."""

    header: Header
    profile: Profile
    history: Sequence[Second] | None
    windows: int
    stage: Stage
    tell: Callable[[str], None] = lambda _: None
    _lines: list[Pair | Figure | Loss] = field(default_factory=list, init=False)

    def hold(self, path: Path) -> Judgement:
        """Measure, record to a file, and judge the record; raise `CannotTell` where it allows no decision."""
        with Journal(path, self.header) as journal:
            is_whole = self._measure(journal)
            if is_whole:
                journal.end()
        return judge_record(self._record(is_whole=is_whole))

    def _measure(self, journal: Journal) -> bool:
        """Measure, and return whether it came to its end; one that may be watched may be stopped, by Ctrl-C."""
        try:
            self._run("floor", self._floor_questions(), journal)
            self._run("match", self._match_questions(), journal)
        except _Over:
            return True
        except KeyboardInterrupt:
            if not self.header.is_sequential:
                raise
            return False
        return True

    def _floor_questions(self) -> list[list[Question]]:
        good = self._good(self.profile.release.floor_windows, seed=self.header.seed + 1)
        return [[*good, *self._broken()]]

    def _match_questions(self) -> list[list[Question]]:
        """Return what to ask, chunk by chunk; between chunks it may be decided."""
        good, broken = self._good(self.windows, seed=self.header.seed), self._broken()
        if not self.header.is_sequential:
            return [[*good, *broken]]
        random.Random(self.header.seed).shuffle(good)  # noqa: S311 - an order to repeat, no secret
        size = self.profile.release.look_every
        chunks = [good[begin : begin + size] for begin in range(0, len(good), size)]
        return [[*chunks[0], *broken], *chunks[1:]]

    def _good(self, count: int, *, seed: int) -> list[Question]:
        is_spread = self.header.is_sequential
        return good_questions(self.profile, self.history, count=count, seed=seed, is_spread=is_spread)

    def _broken(self) -> list[Question]:
        return broken_questions(self.profile, seed=self.header.seed)

    def _run(self, run: Run, chunks: Sequence[Sequence[Question]], journal: Journal) -> None:
        entered: dict[Side, Contestant] = {}
        try:
            self._enter(run, entered, journal)
            duel = Duel(
                run=run,
                doors={side: one.door for side, one in entered.items()},
                profile=self.profile,
                seed=self.header.seed,
            )
            for question in chunks[0][:_WARM_UP]:
                duel.ask(question)
            for number, chunk in enumerate(chunks, start=1):
                self._note(journal, duel.meet(chunk))
                self._weigh(run, entered, journal)
                if run == "match" and number < len(chunks) and self._is_decided():
                    break
        finally:
            for contestant in entered.values():
                contestant.leave()

    def _enter(self, run: Run, entered: dict[Side, Contestant], journal: Journal) -> None:
        """Start both sides, one after the other, in random order."""
        images = {"champion": self.header.champion, "challenger": self.header.challenger}
        order = random.Random(f"{self.header.seed} {run} start").sample(_SIDES, len(_SIDES))  # noqa: S311 - no secret
        for side in order:
            image = images["champion" if run == "floor" else side]
            try:
                entered[side] = self.stage.enter(image)
            except NotServing as error:
                self._lose(run, side, error, journal)
            ready_s = entered[side].ready_s
            self._note(journal, [Figure(run=run, side=side, what="ready_s", value=ready_s)])
            self.tell(f"{run:8} {side} {image}: ready after {ready_s:.1f} s")

    def _weigh(self, run: Run, entered: Mapping[Side, Contestant], journal: Journal) -> None:
        for side, contestant in entered.items():
            try:
                held = float(contestant.held_bytes())
            except NotServing as error:
                self._lose(run, side, error, journal)
            else:
                self._note(journal, [Figure(run=run, side=side, what="held_bytes", value=held)])

    def _lose(self, run: Run, side: Side, error: NotServing, journal: Journal) -> None:
        self._note(journal, [Loss(run=run, side=side, says=str(error))])
        raise _Over from error

    def _is_decided(self) -> bool:
        judgement = judge_record(self._record(is_whole=False))
        asked = sum(isinstance(line, Pair) and line.run == "match" for line in self._lines)
        self.tell(f"match    {asked} windows: {judgement.decision}")
        return judgement.decision is not Decision.INCONCLUSIVE

    def _note(self, journal: Journal, lines: Iterator[Pair] | Sequence[Pair | Figure | Loss]) -> None:
        for line in lines:
            journal.add(line)
            self._lines.append(line)

    def _record(self, *, is_whole: bool) -> Record:
        return Record(
            header=self.header,
            pairs=tuple(line for line in self._lines if isinstance(line, Pair)),
            figures=tuple(line for line in self._lines if isinstance(line, Figure)),
            losses=tuple(line for line in self._lines if isinstance(line, Loss)),
            is_whole=is_whole,
        )
