"""The audit of a served model: its track record over a recording, then one trial after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.audit.finding import Audit, Finding
from harness.audit.model.asking import Case
from harness.audit.model.calibration import calibration_findings
from harness.audit.model.cost import cost_findings
from harness.audit.model.determinism import DETERMINISM
from harness.audit.model.edges import EXTREME, FLAT
from harness.audit.model.habits import habit_findings
from harness.audit.model.jump import JUMP
from harness.audit.model.level import LEVEL
from harness.audit.model.output import CONSTANT, output_findings
from harness.audit.model.picture import drawn
from harness.audit.model.sensitivity import SENSITIVITY
from harness.audit.model.skill import skill_findings
from harness.audit.model.track import track_of
from harness.audit.model.trial import Answered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.audit.model.asking import Asker
    from harness.audit.model.market import Market
    from harness.audit.model.track import Track
    from harness.audit.model.trial import Told, Trial

TRIALS: tuple[Trial, ...] = (DETERMINISM, LEVEL, JUMP, FLAT, EXTREME, SENSITIVITY)
WINDOWS = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom to ask; `memory_mib` says what the container holds, None where that cannot be seen."""

    name: str
    asker: Asker
    memory_mib: Callable[[], float | None] = lambda: None


def audit_model(
    subject: Subject, market: Market, *, windows: int = WINDOWS, tell: Callable[[str], None] = lambda _: None
) -> Audit:
    """Ask `windows` windows of the recording, then the trials; `tell` is told what is asked next."""
    begins = market.begins(windows)
    tell(f"{len(begins)} recorded windows")
    answered = _asked(subject, [Case(seconds=market.cut(begin)) for begin in begins])
    if all(one.reply.status is None for one in answered):
        unheard = f"nobody answers at {subject.name}: is it running, and is the address right?"
        return Audit(subject="model", name=subject.name, findings=(), untold=(unheard,))
    track = track_of(market, begins, answered)
    told = list(_record(market, track, begins, answered))
    # One number whatever is asked: how it moves need not be asked.
    is_constant = any(isinstance(one, Finding) and one.id == CONSTANT for one in told)
    trials = {} if is_constant else _tried(subject, market, tell)
    told += [one for trial in TRIALS if trial.name in trials for one in trial.judge(market, trials[trial.name])]
    told += cost_findings(answered, budget_s=market.profile.http.budget_s, memory_mib=subject.memory_mib())
    return Audit(
        subject="model",
        name=subject.name,
        findings=tuple(one for one in told if isinstance(one, Finding)),
        untold=tuple(one for one in told if isinstance(one, str)),
        series=drawn(market, track, trials),
    )


def _record(market: Market, track: Track, begins: Sequence[int], answered: Sequence[Answered]) -> Iterator[Told]:
    output = list(output_findings(answered, track))
    yield from output
    yield from skill_findings(track, limit=market.profile.prediction.skill_limit)
    if not any(finding.id == CONSTANT for finding in output):
        yield from habit_findings(track)
    yield from calibration_findings(answered, [market.close_after(begin) for begin in begins])


def _tried(subject: Subject, market: Market, tell: Callable[[str], None]) -> dict[str, list[Answered]]:
    """Ask the cases of all trials, and return what was answered by the trials' names."""
    answered: dict[str, list[Answered]] = {}
    for trial in TRIALS:
        tell(trial.name)
        answered[trial.name] = _asked(subject, trial.cases(market))
    return answered


def _asked(subject: Subject, cases: Sequence[Case]) -> list[Answered]:
    replies = subject.asker.ask(cases)
    return [Answered(case=case, reply=reply) for case, reply in zip(cases, replies, strict=True)]
