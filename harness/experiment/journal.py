"""The journal of an experiment while it runs: marks, looks and probes, from which the record is made."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.experiment.probe import classify
from harness.experiment.record import Look, Mark, Measure, Probe, Record
from harness.experiment.steadiness import well_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.experiment.prober import Prober
    from harness.experiment.record import MarkName
    from harness.faults.attempt import Attempt
    from harness.faults.fault import Fault
    from harness.system.container import Sut


class Journal:
    """Notes what is done and seen, in seconds since it was opened."""

    def __init__(self, fault: Fault, sut: Sut, profile: Profile, prober: Prober, *, past: tuple[str, ...] = ()) -> None:
        self._fault, self._sut, self._profile, self._prober = fault, sut, profile, prober
        self.measure, self._past = measure_of(profile), past
        self._origin_s, self._began_at = time.monotonic(), time.time()
        self._up_since_s = sut.started_s - self._origin_s
        self._marks: list[Mark] = []
        self._looks: list[Look] = []
        self._probes: list[Probe] = []
        self._sent_by_fault: tuple[Attempt, ...] = ()
        self._memory_kills = 0

    def now_s(self) -> float:
        """Return the seconds since the journal was opened."""
        return time.monotonic() - self._origin_s

    def mark(self, name: MarkName, *, evidence: str = "") -> None:
        """Note that a step is done."""
        self._marks.append(Mark(name=name, at_s=self.now_s(), evidence=evidence))

    def struck(self, at_s: float, attempts: tuple[Attempt, ...]) -> None:
        """Note at which moment of the monotonic clock the fault struck, and what it sent itself."""
        self._sent_by_fault = attempts
        self._marks.append(Mark(name="struck", at_s=at_s - self._origin_s))

    def asked(self, attempts: tuple[Attempt, ...]) -> None:
        """Note what the fault's own clients asked while it lasted."""
        self._sent_by_fault += attempts

    def at(self, name: MarkName) -> float | None:
        """Return when a step was done, or None."""
        return next((mark.at_s for mark in self._marks if mark.name == name), None)

    def look(self) -> Look:
        """Ask how the container is, note what changed; raise `ProberBroken` where nobody probes any more."""
        self._prober.ensure_whole()
        state = self._sut.state()
        look = Look(at_s=self.now_s(), status=state.status, exit_code=state.exit_code, oom_killed=state.oom_killed)
        if not self._looks or replace(self._looks[-1], at_s=look.at_s, log="") != look:
            self._looks.append(look if look.is_up else replace(look, log=self._sut.logs()))
        return look

    def note_memory_kills(self) -> None:
        """Count what the kernel killed for want of memory since the beginning."""
        self._memory_kills = self._sut.memory_kills(since_at=self._began_at)

    def seen(self) -> Sequence[Probe]:
        """Classify what came in since the last call, and return all probes."""
        new = self._prober.attempts()[len(self._probes) :]
        self._probes += [classify(attempt, self._profile, origin_s=self._origin_s) for attempt in new]
        return self._probes

    def is_steady(self, steady_s: float, *, since_s: float) -> bool:
        """Whether there is a stretch of good probes so long, all of them answered, since a moment."""
        settled_s = self._prober.settled_until_s() - self._origin_s
        settled = [probe for probe in self.seen() if probe.due_s < settled_s]
        return well_from(settled, replace(self.measure, steady_s=steady_s), since_s=since_s) is not None

    def record(self) -> Record:
        """Return all that was noted so far."""
        by_fault = [classify(attempt, self._profile, origin_s=self._origin_s) for attempt in self._sent_by_fault]
        return Record(
            name=self._fault.name,
            image=self._sut.image,
            began_at=self._began_at,
            up_since_s=self._up_since_s,
            measure=self.measure,
            expects=self._fault.expects,
            past=self._past,
            memory_kills=self._memory_kills,
            marks=tuple(self._marks),
            looks=tuple(self._looks),
            probes=(*self.seen(), *by_fault),
        )


def measure_of(profile: Profile) -> Measure:
    """Return the numbers of a profile by which a record is judged."""
    return Measure(
        budget_s=profile.http.budget_s,
        ready_s=profile.container.ready_s,
        recovery_s=profile.chaos.recovery_s,
        steady_s=profile.chaos.steady_s,
        accept_s=profile.http.accept_s,
        rate_per_s=profile.chaos.probe_rate_per_s,
        same_tolerance=profile.prediction.same_tolerance,
    )
