"""An experiment: steady state, inject, verify, observe, revert, verify, recover; recorded, not judged."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from harness.experiment.probe import classify
from harness.experiment.prober import Prober
from harness.experiment.record import Look, Mark, Measure, Probe, Record, write
from harness.experiment.steadiness import well_from
from harness.system.container import SutLost
from harness.system.waiting import WaitedInVain, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.experiment.record import MarkName
    from harness.faults.attempt import Attempt
    from harness.faults.fault import Fault
    from harness.system.container import State, Sut

TAKES_S = 10.0
REVERT_S = 20.0
_POLL_S = 0.1
# Beyond the time to become ready, for the stretch that proves a steady state and one hiccup of the machine.
_STEADY_EXTRA_S = 10.0
# The fault is watched for so long at least, that its effect is seen by some probes.
_LEAST_OBSERVED_S = 1.0

# Port 9 discards; nothing listens there.
NOWHERE = "http://127.0.0.1:9"

End = Literal["steady", "lost", "wrong", "in vain"]


class FaultNotTaken(Exception):  # noqa: N818 - named by what happened
    """The fault was injected and nothing shows that it took: ours, and nothing is known about the sut."""


class RevertFailed(Exception):  # noqa: N818 - named by what happened
    """The fault could not be reverted; the message names the command that mends it."""


def run(fault: Fault, sut: Sut, profile: Profile, series: Sequence[Second], *, path: Path | None = None) -> Record:
    """Run one experiment on a started container and return its record, which is written to `path` as well.

    What the sut does is in the record, whatever it is. Raises `FaultNotTaken`, `RevertFailed` or `ProberBroken` where
    the measurement itself failed; the fault is reverted first, and what was recorded is written.
    """
    prober = Prober(_url(sut), profile, series)
    script = _Script(fault, sut, profile, prober)
    try:
        with prober:
            script.play()
        prober.ensure_whole()
    finally:
        record = script.record()
        if path is not None:
            write(record, path)
    return record


class _Script:
    """The steps of one experiment, and what was noted at each."""

    def __init__(self, fault: Fault, sut: Sut, profile: Profile, prober: Prober) -> None:
        self.fault, self.sut, self.profile, self.prober = fault, sut, profile, prober
        self.measure = measure_of(profile)
        self._origin_s, self._began_at = time.monotonic(), time.time()
        self._up_since_s = sut.started_s - self._origin_s
        self._marks: list[Mark] = []
        self._looks: list[Look] = []
        self._sent_by_fault: tuple[Attempt, ...] = ()
        self._probes: list[Probe] = []
        self._memory_kills = 0

    def play(self) -> None:
        """Go through the steps; end early where there is no steady state to harm."""
        ready_s = self.sut.started_s - time.monotonic() + self.profile.container.ready_s
        if self._until_steady(budget_s=max(ready_s, 0.0) + _STEADY_EXTRA_S) == "steady":
            self._mark("steady")
            self._keep_window()
            self._strike_and_revert()
            extra_s = self.measure.steady_s + self.measure.budget_s
            if self._until_steady(budget_s=self.profile.chaos.recovery_s + extra_s) == "steady":
                self._mark("well")
        self._look()
        self._mark("ended")

    def record(self) -> Record:
        """Return what was recorded so far."""
        by_fault = [classify(attempt, self.profile, origin_s=self._origin_s) for attempt in self._sent_by_fault]
        return Record(
            name=self.fault.name,
            image=self.sut.image,
            began_at=self._began_at,
            up_since_s=self._up_since_s,
            measure=self.measure,
            expects=self.fault.expects,
            memory_kills=self._memory_kills,
            marks=tuple(self._marks),
            looks=tuple(self._looks),
            probes=(*self._seen(), *by_fault),
        )

    def _strike_and_revert(self) -> None:
        before = self.sut.state()
        try:
            struck = self.fault.inject(self.sut)
            self._sent_by_fault = struck.attempts
            self._mark("struck", at_s=struck.at_s)
            self._verify_taken(before)
            self._observe()
        finally:
            self._mark("revert")
            self._revert(before)
        self._note_kills()
        self._aim()

    def _verify_taken(self, before: State) -> None:
        self._look()
        try:
            evidence = wait_for(
                lambda: self.fault.has_taken(self.sut, before),
                subject=f"fault {self.fault.name!r} to take on {self.sut.name}",
                budget_s=TAKES_S,
                last_seen=lambda: self.sut.state().status,
            )
        except WaitedInVain as error:
            raise FaultNotTaken(str(error)) from error
        self._mark("taken", evidence=evidence)
        self._aim()

    def _observe(self) -> None:
        """Watch until the fault has lasted, its container is gone, or the container lives well with it."""
        taken_s = self._now_s()
        seen_enough_s = (self._at("struck") or taken_s) + _LEAST_OBSERVED_S
        may_survive = self.fault.expects.exits == "may"

        def is_over() -> bool | None:
            if may_survive and self._is_steady(since_s=taken_s):
                return True
            until_s = taken_s + self.fault.hold_s if self._look().is_up else seen_enough_s
            return True if self._now_s() >= max(until_s, seen_enough_s) else None

        budget_s = max(self.fault.hold_s, _LEAST_OBSERVED_S) + TAKES_S
        wait_for(is_over, subject=f"fault {self.fault.name!r} to end", budget_s=budget_s, pause_s=_POLL_S)

    def _revert(self, before: State) -> None:
        """Revert and verify it, or say loudly how to mend it."""
        mend = self.fault.mend(self.sut)
        try:
            self.fault.revert(self.sut)
            evidence = wait_for(
                lambda: self.fault.has_reverted(self.sut, before),
                subject=f"fault {self.fault.name!r} to be gone from {self.sut.name}",
                budget_s=REVERT_S,
            )
        except Exception as error:
            msg = f"fault {self.fault.name!r} was not reverted on {self.sut.name}: {error}; mend it with: {mend}"
            raise RevertFailed(msg) from error
        self._mark("reverted", evidence=evidence)

    def _note_kills(self) -> None:
        """Count what the kernel killed for want of memory: Docker tells of it late, so not before the revert."""
        self._memory_kills = self.sut.memory_kills(since_at=self._began_at)

    def _keep_window(self) -> None:
        """Have one window answered that will be sent again after the fault."""
        self.prober.keep_window()
        wait_for(
            lambda: any(probe.asked == "same" for probe in self._seen()) or None,
            subject="the window that is kept to be answered",
            budget_s=self.profile.http.hang_s,
        )

    def _until_steady(self, *, budget_s: float) -> End:
        since_s = self._now_s()
        is_first = not self._marks

        def end() -> End | None:
            if self._is_steady(since_s=since_s):
                return "steady"
            if not self._look().is_up:
                return "lost"
            wrong = any(probe.outcome == "wrong" for probe in self._seen() if probe.sent_s >= since_s)
            return "wrong" if wrong and is_first else None

        try:
            return wait_for(end, subject="a steady state", budget_s=budget_s, pause_s=_POLL_S)
        except WaitedInVain:
            return "in vain"

    def _is_steady(self, *, since_s: float) -> bool:
        settled_s = self.prober.settled_until_s() - self._origin_s
        settled = [probe for probe in self._seen() if probe.due_s < settled_s]
        return well_from(settled, self.measure, since_s=since_s) is not None

    def _seen(self) -> Sequence[Probe]:
        """Classify what came in since the last call, and return all."""
        new = self.prober.attempts()[len(self._probes) :]
        self._probes += [classify(attempt, self.profile, origin_s=self._origin_s) for attempt in new]
        return self._probes

    def _look(self) -> Look:
        """Note how the container is where that changed; end the experiment where the prober is broken."""
        self.prober.ensure_whole()
        state = self.sut.state()
        look = Look(at_s=self._now_s(), status=state.status, exit_code=state.exit_code, oom_killed=state.oom_killed)
        if not self._looks or replace(self._looks[-1], at_s=look.at_s, log="") != look:
            self._looks.append(look if look.is_up else replace(look, log=self.sut.logs()))
        return look

    def _mark(self, name: MarkName, *, at_s: float | None = None, evidence: str = "") -> None:
        after_s = self._now_s() if at_s is None else at_s - self._origin_s
        self._marks.append(Mark(name=name, at_s=after_s, evidence=evidence))

    def _at(self, name: MarkName) -> float | None:
        return next((mark.at_s for mark in self._marks if mark.name == name), None)

    def _aim(self) -> None:
        self.prober.aim(_url(self.sut, otherwise=self.prober.url))

    def _now_s(self) -> float:
        return time.monotonic() - self._origin_s


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


def _url(sut: Sut, *, otherwise: str = NOWHERE) -> str:
    """Return where the sut listens now; a container that is down listens nowhere."""
    try:
        return sut.url
    except SutLost:
        return otherwise
