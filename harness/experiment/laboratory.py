"""The laboratory: runs experiments side by side where they may, and records, judges and times each."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.verdict import Verdict
from harness.experiment.experiment import RevertFailed, run
from harness.experiment.floor import Floor
from harness.experiment.judge import Judgement, judge
from harness.experiment.pool import Pool
from harness.experiment.times import Times, times_of
from harness.faults.fault import Choosy, Fitted, Loud
from harness.system.processes import OutOfReach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.fault import Fault
    from harness.system.container import Launch, Sut


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
    """Runs the experiments with some faults in their order, `lanes` of them at a time."""

    def __init__(self, bench: Bench, faults: Sequence[Fault], *, lanes: int) -> None:
        """Begin at once."""
        self.floor, self.times = Floor(), list[Times]()
        self.lanes, self._began_s = lanes, time.monotonic()
        self._bench = bench
        self._launches = {fault.name: _launch(fault, bench.profile) for fault in faults}
        launches = (self._how(fault) for fault in faults if fault.leaves_trace)
        planned = [launch for launch in launches if not isinstance(launch, OutOfReach)]
        self.pool = Pool(bench.start, planned=planned)
        self._lanes = ThreadPoolExecutor(lanes, thread_name_prefix="experiment")
        self._coming: dict[str, Future[Judgement]] = {
            fault.name: self._lanes.submit(self._judged, fault) for fault in faults
        }

    @property
    def wall_s(self) -> float:
        """The seconds since it began."""
        return time.monotonic() - self._began_s

    def judgement(self, name: str) -> Judgement:
        """Wait for an experiment; raises `Inapplicable` where there was none, and whatever went wrong with it.

        A fault that could not be reverted ends the laboratory: no experiment begins after it.
        """
        return self._coming[name].result()

    def stop(self) -> None:
        """Begin no further experiment."""
        for coming in self._coming.values():
            coming.cancel()

    def close(self) -> None:
        """End it, and remove its containers; an experiment under way ends with its container."""
        self.stop()
        self.pool.close()
        self._lanes.shutdown()

    def _judged(self, fault: Fault) -> Judgement:
        with self.floor.place(is_loud=isinstance(fault, Loud) and fault.is_loud):
            began_s = time.monotonic()
            sut = self._container(fault)
            fetched_s = time.monotonic() - began_s
            found: Judgement | None = None
            path = self._bench.folder / f"{fault.name}.jsonl"
            try:
                record = run(fault, sut, self._bench.profile, self._bench.series, path=path)
                found = judge(record)
                self._bench.recorded(path)
            except RevertFailed:
                self.stop()
                raise
            finally:
                self.pool.give_back(sut, is_well=found is not None and found.verdict is Verdict.PASSED)
            total_s = time.monotonic() - began_s
            self.times.append(times_of(record, found, fetched_s=fetched_s, total_s=total_s))
        return found

    def _container(self, fault: Fault) -> Sut:
        """Fetch the container for an experiment, where the fault applies to it."""
        how = self._how(fault)
        if isinstance(how, OutOfReach):
            msg = f"{fault.name} does not apply: {how}"
            raise Inapplicable(msg) from how
        sut = self.pool.own(how) if fault.leaves_trace or how is not None else self.pool.shared()
        why_not = fault.why_not(sut) if isinstance(fault, Choosy) else None
        if why_not is not None:
            self.pool.give_back(sut, is_well=True)
            msg = f"{fault.name} does not apply: {why_not}"
            raise Inapplicable(msg)
        return sut

    def _how(self, fault: Fault) -> Launch | OutOfReach | None:
        return self._launches[fault.name]


def _launch(fault: Fault, profile: Profile) -> Launch | OutOfReach | None:
    """Return how the container of an experiment is started; None: the plain way."""
    if not isinstance(fault, Fitted):
        return None
    try:
        return fault.launch(profile)
    except OutOfReach as why_not:
        return why_not
