"""An experiment: steady state, inject, verify, observe, revert, verify, recover; recorded, not judged."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from harness.experiment.journal import Journal
from harness.experiment.prober import Prober
from harness.experiment.record import Record, write
from harness.faults.fault import Asking
from harness.system.container import SutLost
from harness.system.waiting import WaitedInVain, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.fault import Fault
    from harness.system.container import State, Sut

TAKES_S = 10.0
REVERT_S = 20.0
_POLL_S = 0.1
# Beyond the time to become ready, for the stretch that proves a steady state and one hiccup of the machine.
_STEADY_EXTRA_S = 10.0
# A container that is down is watched for so long, that this is seen by some probes.
_LEAST_OBSERVED_S = 1.0
# A steady state that was proven so short a time ago is still known: so large a share of the stretch proves it again.
_STILL_KNOWN_S = 3.0
_OF_KNOWN = 0.4
# The window that is kept is chosen with the first right answer, and anew where that is so long ago.
_KEPT_MOST_S = 5.0

# Port 9 discards; nothing listens there.
NOWHERE = "http://127.0.0.1:9"

End = Literal["steady", "lost", "wrong", "in vain"]


class FaultNotTaken(Exception):  # noqa: N818 - named by what happened
    """The fault was injected and nothing shows that it took: ours, and nothing is known about the sut."""


class RevertFailed(Exception):  # noqa: N818 - named by what happened
    """The fault could not be reverted; the message names the command that mends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What has been before: experiments with the container, and when the last of them left it in a steady state.

    `repeats` is what this very experiment showed at first; empty where it is the first.
    """

    faults: tuple[str, ...] = ()
    well_at_s: float = float("-inf")  # monotonic
    repeats: str = ""


_NONE = Past()


def run(
    fault: Fault,
    sut: Sut,
    profile: Profile,
    series: Sequence[Second],
    *,
    path: Path | None = None,
    past: Past = _NONE,
) -> Record:
    """Run one experiment on a started container and return its record, which is written to `path` as well.

    What the sut does is in the record, whatever it is. Raises `FaultNotTaken`, `RevertFailed` or `ProberBroken` where
    the measurement itself failed; the fault is reverted first, and what was recorded is written.
    """
    prober = Prober(_url(sut), profile, series, patience_s=fault.expects.patience_s)
    journal = Journal(fault, sut, profile, prober, past=past.faults)
    is_known = time.monotonic() - past.well_at_s < _STILL_KNOWN_S
    try:
        with prober:
            _Script(fault, sut, profile, prober, journal, is_known=is_known).play()
        prober.ensure_whole()
    finally:
        record = replace(journal.record(), repeats=past.repeats)
        if path is not None:
            write(record, path)
    return record


class _Script:
    """The steps of one experiment."""

    def __init__(
        self, fault: Fault, sut: Sut, profile: Profile, prober: Prober, journal: Journal, *, is_known: bool
    ) -> None:
        self.fault, self.sut, self.profile, self.prober, self.journal = fault, sut, profile, prober, journal
        self._steady_s = profile.chaos.steady_s * (_OF_KNOWN if is_known else 1)
        self._kept_s: float | None = None

    def play(self) -> None:
        """Go through the steps; end early where there is no steady state to harm."""
        ready_s = self.sut.started_s - time.monotonic() + self.profile.container.ready_s
        budget_s = max(ready_s, 0.0) + _STEADY_EXTRA_S
        if self._until_steady(self._steady_s, budget_s=budget_s, stops_at_wrong=True) == "steady":
            self.journal.mark("steady")
            self._keep_window()
            self._strike_and_revert()
            extra_s = self.profile.chaos.steady_s + self.profile.http.budget_s
            budget_s = self.profile.chaos.recovery_s + extra_s
            if self._until_steady(self.profile.chaos.steady_s, budget_s=budget_s) == "steady":
                self.journal.mark("well")
                self._see_kept_window_again()
        self._note_memory_kills()
        self.journal.look()
        self.journal.mark("ended")

    def _strike_and_revert(self) -> None:
        before = self.sut.state()
        try:
            struck = self.fault.inject(self.sut)
            self.journal.struck(struck.at_s, struck.attempts)
            self.journal.look()
            self._verify_taken(before)
            self._observe()
        finally:
            self.journal.mark("revert")
            self._revert(before)
            if isinstance(self.fault, Asking):
                self.journal.asked(self.fault.attempts)
        self._aim()

    def _verify_taken(self, before: State) -> None:
        try:
            evidence = wait_for(
                lambda: self.fault.has_taken(self.sut, before),
                subject=f"fault {self.fault.name!r} to take on {self.sut.name}",
                budget_s=TAKES_S,
                last_seen=lambda: self.sut.state().status,
            )
        except WaitedInVain as error:
            raise FaultNotTaken(str(error)) from error
        self.journal.mark("taken", evidence=evidence)
        self._aim()

    def _observe(self) -> None:
        """Watch until the fault has lasted, its container is gone, or the container lives well with it."""
        taken_s = self.journal.now_s()
        seen_enough_s = (self.journal.at("struck") or taken_s) + _LEAST_OBSERVED_S
        may_survive = self.fault.expects.exits == "may"

        def is_over() -> bool | None:
            if may_survive and self.journal.is_steady(self.profile.chaos.steady_s, since_s=taken_s):
                return True
            until_s = taken_s + self.fault.hold_s if self.journal.look().is_up else seen_enough_s
            return True if self.journal.now_s() >= until_s else None

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
        self.journal.mark("reverted", evidence=evidence)

    def _keep_early(self) -> None:
        """Choose the window that is kept as soon as one is answered rightly: so it is answered while others are."""
        if self._kept_s is None and any(probe.outcome == "right" for probe in self.journal.seen() if probe.window):
            self._choose_window()

    def _choose_window(self) -> None:
        self._kept_s = self.journal.now_s()
        self.prober.keep_window()

    def _keep_window(self) -> None:
        """Have one window answered that will be sent again after the fault."""
        if self._kept_s is None or self.journal.now_s() - self._kept_s > _KEPT_MOST_S:
            self._choose_window()
        kept_s = self._kept_s or 0.0
        wait_for(
            lambda: any(probe.asked == "same" and probe.due_s > kept_s for probe in self.journal.seen()) or None,
            subject="the window that is kept to be answered",
            budget_s=self.profile.http.hang_s,
        )

    def _note_memory_kills(self) -> None:
        """Docker tells late of what the kernel killed: so not before the end, and where that may have been."""
        if self.fault.expects.exits == "may":
            self.journal.note_memory_kills()

    def _see_kept_window_again(self) -> None:
        """Have it answered once more after the fault; in vain where it grew too old, which the record shows."""
        reverted_s = self.journal.at("reverted") or 0.0
        with contextlib.suppress(WaitedInVain):
            wait_for(
                lambda: any(p.asked == "same" and p.sent_s > reverted_s for p in self.journal.seen()) or None,
                subject="the window that is kept to be answered again",
                budget_s=self.profile.http.budget_s + 2 * self.profile.http.accept_s,
            )

    def _until_steady(self, steady_s: float, *, budget_s: float, stops_at_wrong: bool = False) -> End:
        since_s = self.journal.now_s()

        def end() -> End | None:
            self._keep_early()
            if self.journal.is_steady(steady_s, since_s=since_s):
                return "steady"
            if not self.journal.look().is_up:
                return "lost"
            is_wrong = any(probe.outcome == "wrong" for probe in self.journal.seen())
            return "wrong" if stops_at_wrong and is_wrong else None

        try:
            return wait_for(end, subject="a steady state", budget_s=budget_s, pause_s=_POLL_S)
        except WaitedInVain:
            return "in vain"

    def _aim(self) -> None:
        self.prober.aim(_url(self.sut, otherwise=self.prober.url))


def _url(sut: Sut, *, otherwise: str = NOWHERE) -> str:
    """Return where the sut listens now; a container that is down listens nowhere."""
    try:
        return sut.url
    except SutLost:
        return otherwise
