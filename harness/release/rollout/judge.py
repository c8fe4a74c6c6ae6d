"""A release judged from its lines: live as they come, or again from a record; the same lines, the same outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.release.rollout.alarms import Panel
from harness.release.rollout.machine import Outcome, State, advance
from harness.release.rollout.record import Absence, Beat, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.release.rollout.alarms import Reading
    from harness.release.rollout.record import Header, Line

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as it ended: the challenger's share, for how long, how many calls it got, what the alarms read last."""

    share: float
    began_s: float
    ended_s: float
    answers: int
    readings: tuple[Reading, ...]


@dataclass(slots=True)
class Judge:
    """Takes in a release's lines in their order; `state` is where it stands, `steps` what is over."""

    header: Header
    steps: list[Step] = field(default_factory=list)
    state: State = field(init=False)
    last: Beat = field(init=False)
    _panel: Panel = field(init=False)
    _exposed_before: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Begin at the first step."""
        self.state = State(shares=self.header.shares, bake_s=self.header.bake_s)
        self.last = Beat(at_s=0.0)
        self._panel = Panel(self.header)

    @property
    def exposed(self) -> int:
        """How many calls the challenger got until it was decided."""
        return sum(step.answers for step in self.steps)

    def take(self, line: Line) -> None:
        """Take in one line; what comes after the outcome changes nothing but the callers' counts."""
        if isinstance(line, Absence):
            self.state = State(
                shares=self.header.shares, bake_s=self.header.bake_s, outcome=Outcome.ROLLED_BACK, why=line.says
            )
        elif isinstance(line, Seen) and self.state.outcome is None:
            self._panel.add(line)
        elif isinstance(line, Beat):
            self._look(line)

    def _look(self, beat: Beat) -> None:
        self.last = beat
        if self.state.outcome is not None:
            return
        before = self.state
        readings = self._panel.read(beat, since_s=before.since_s)
        self.state = advance(before, readings, now_s=beat.at_s)
        if self.state != before:
            answers = self._panel.exposed - self._exposed_before
            self._exposed_before = self._panel.exposed
            self.steps.append(
                Step(
                    share=before.share,
                    began_s=before.since_s,
                    ended_s=beat.at_s,
                    answers=answers,
                    readings=readings,
                )
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How a release ended, step by step, and what it cost the callers."""

    header: Header
    outcome: Outcome
    why: str
    steps: tuple[Step, ...]
    exposed: int
    callers: Beat

    def to_content(self) -> dict[str, Any]:
        """Return what is written as JSON."""
        return {
            "schema": SCHEMA,
            "outcome": self.outcome.value,
            "why": self.why,
            "champion": self.header.champion,
            "challenger": self.header.challenger,
            "profile": self.header.profile,
            "planned_requests": self.header.planned,
            "exposed_requests": self.exposed,
            "exposed_share": self.exposed / self.header.planned,
            "callers": {name: getattr(self.callers, name) for name in ("sent", "answered", "spoilt", "lost")},
            "steps": [_step(step) for step in self.steps],
        }


def judge(header: Header, lines: Iterable[Line]) -> Judgement:
    """Judge a release from its lines; one that was cut short is UNKNOWN."""
    judge = Judge(header)
    for line in lines:
        judge.take(line)
    return judgement_of(judge)


def judgement_of(judge: Judge) -> Judgement:
    """Return how it ended, or that it did not."""
    return Judgement(
        header=judge.header,
        outcome=judge.state.outcome or Outcome.UNKNOWN,
        why=judge.state.why or "the release was cut short",
        steps=tuple(judge.steps),
        exposed=judge.exposed,
        callers=judge.last,
    )


def _step(step: Step) -> dict[str, Any]:
    return {
        "share": step.share,
        "began_s": step.began_s,
        "ended_s": step.ended_s,
        "answers": step.answers,
        "alarms": {one.alarm: {"verdict": one.verdict.value, "says": one.says} for one in step.readings},
    }
