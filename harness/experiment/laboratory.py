"""The laboratory: runs experiments side by side where they may, and records, judges and times each."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.contract.verdict import Verdict
from harness.experiment.agenda import Agenda, has_own, is_loud
from harness.experiment.experiment import Past, RevertFailed, run
from harness.experiment.floor import Floor
from harness.experiment.judge import Judgement, judge
from harness.experiment.pool import Pool
from harness.experiment.times import Times, times_of
from harness.faults.fault import Choosy, Fitted
from harness.system.processes import OutOfReach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.experiment.record import Record
    from harness.faults.fault import Fault
    from harness.system.container import Launch, Sut


# The folder within the records' own of what was run again alone.
REPEATED = "repeated"


class Inapplicable(Exception):  # noqa: N818 - named by what is the case
    """The container, or this machine, cannot meet the fault; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What an experiment needs beside its fault: a way to start containers, and where records go.

    `recorded` is told of each record's file once it is written.
    """

    start: Callable[[Launch | None], Sut]
    profile: Profile
    series: Sequence[Second]
    folder: Path
    recorded: Callable[[Path], None]


class Laboratory:
    """Runs the experiments with some faults, `lanes` of them at a time."""

    def __init__(self, bench: Bench, faults: Sequence[Fault], *, lanes: int) -> None:
        """Begin at once."""
        self.floor, self.times = Floor(), list[Times]()
        self._bench, self._agenda = bench, Agenda(faults)
        self._began_s = self._ended_s = time.monotonic()
        self._pasts: dict[int, Past] = {}
        self._launches = {fault.name: _launch(fault, bench.profile) for fault in faults}
        self.pool = Pool(bench.start, planned=self._planned(faults), second_shared=self._agenda.wants_two_shared)
        self._coming = {fault.name: Future[Judgement]() for fault in faults}
        self._lanes = [threading.Thread(target=self._work, name=f"lane-{n}", daemon=True) for n in range(lanes)]
        for lane in self._lanes:
            lane.start()

    @property
    def lanes(self) -> int:
        """How many experiments run at a time, at most."""
        return len(self._lanes)

    @property
    def wall_s(self) -> float:
        """The seconds from its beginning to the end of the experiment that ended last."""
        return self._ended_s - self._began_s

    def judgement(self, name: str) -> Judgement:
        """Wait for an experiment; raises `Inapplicable` where there was none, and whatever went wrong with it.

        A fault that could not be reverted ends the laboratory: no experiment begins after it.
        """
        return self._coming[name].result()

    def close(self) -> None:
        """Begin nothing more, and remove the containers; an experiment under way ends with its container."""
        self._stop()
        self.pool.close()
        for lane in self._lanes:
            lane.join()

    def _stop(self) -> None:
        for fault in self._agenda.clear():
            self._coming[fault.name].cancel()

    def _work(self) -> None:
        """Work off the agenda, as one lane."""
        while (fault := self._agenda.next()) is not None:
            coming = self._coming[fault.name]
            try:
                coming.set_result(self._judged(fault))
            except BaseException as error:  # noqa: BLE001 - whoever waits for it is to have it
                coming.set_exception(error)
            finally:
                self._ended_s = time.monotonic()
                self._agenda.done(fault)

    def _judged(self, fault: Fault) -> Judgement:
        """Run an experiment, and once more alone where another beside it, or the machine, may be all that was wrong."""
        is_alone = is_loud(fault) or self.lanes == 1
        found = self._once(fault, is_alone=is_alone)
        if not _is_to_be_repeated(found, is_alone=is_alone):
            return found
        return self._once(fault, is_alone=True, repeats="; ".join(map(str, (*found.violations, *found.doubts))))

    def _once(self, fault: Fault, *, is_alone: bool, repeats: str = "") -> Judgement:
        with self.floor.place(is_loud=is_alone):
            if is_alone:
                self.pool.settle()
            began_s = time.monotonic()
            sut = self._container(fault)
            fetched_s = time.monotonic() - began_s
            past = replace(self._been_through(sut), repeats=repeats)
            record, found = self._tried(fault, sut, past, is_alone=is_alone)
            total_s = time.monotonic() - began_s
            self.times.append(times_of(record, found, fetched_s=fetched_s, total_s=total_s))
        return found

    def _tried(self, fault: Fault, sut: Sut, past: Past, *, is_alone: bool) -> tuple[Record, Judgement]:
        """Run one experiment, and give its container back; what is to be repeated is kept in a folder of its own."""
        path, is_well = self._bench.folder / f"{fault.name}.jsonl", False
        try:
            record = run(fault, sut, self._bench.profile, self._bench.series, path=path, past=past)
            found = judge(record)
            is_well = found.verdict is Verdict.PASSED
            self._note(sut, fault)
            if not past.repeats and _is_to_be_repeated(found, is_alone=is_alone):
                path = _set_aside(path)
            self._bench.recorded(path)
        except RevertFailed:
            self._stop()
            raise
        finally:
            self.pool.give_back(sut, is_well=is_well)
        return record, found

    def _been_through(self, sut: Sut) -> Past:
        """Return the experiments that a container came well out of, and whether the last was just now."""
        return self._pasts.get(id(sut), Past())

    def _note(self, sut: Sut, fault: Fault) -> None:
        past = self._been_through(sut)
        self._pasts[id(sut)] = Past(faults=(*past.faults, fault.name), well_at_s=time.monotonic())

    def _container(self, fault: Fault) -> Sut:
        """Fetch the container for an experiment, where the fault applies to it."""
        how = self._how(fault)
        if isinstance(how, OutOfReach):
            msg = f"{fault.name} does not apply: {how}"
            raise Inapplicable(msg) from how
        sut = self.pool.own(how) if has_own(fault) else self.pool.shared()
        why_not = fault.why_not(sut) if isinstance(fault, Choosy) else None
        if why_not is not None:
            self.pool.give_back(sut, is_well=True)
            msg = f"{fault.name} does not apply: {why_not}"
            raise Inapplicable(msg)
        return sut

    def _planned(self, faults: Sequence[Fault]) -> list[Launch | None]:
        """Return how containers for one experiment will be started: one in the plain way serves for all of those."""
        launches = [self._how(fault) for fault in faults if has_own(fault)]
        plain: list[Launch | None] = [None] if None in launches else []
        return plain + [launch for launch in launches if not isinstance(launch, OutOfReach | None)]

    def _how(self, fault: Fault) -> Launch | OutOfReach | None:
        return self._launches[fault.name]


def _is_to_be_repeated(found: Judgement, *, is_alone: bool) -> bool:
    """Whether another run may show more: where it was alone, only what the harness was too slow for."""
    return found.is_late_alone and not (is_alone and found.violations)


def _set_aside(path: Path) -> Path:
    aside = path.parent / REPEATED / path.name
    aside.parent.mkdir(exist_ok=True)
    return path.rename(aside)


def _launch(fault: Fault, profile: Profile) -> Launch | OutOfReach | None:
    """Return how the container of an experiment is started; None: the plain way."""
    if not isinstance(fault, Fitted):
        return None
    try:
        return fault.launch(profile)
    except OutOfReach as why_not:
        return why_not
