"""Harm for as long as a check wants it: inject a fault, see that it took, and revert it however the check ends."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.experiment.experiment import REVERT_S, TAKES_S, FaultNotTaken, RevertFailed
from harness.system.client import Client
from harness.system.waiting import WaitedInVain, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.faults.fault import Fault
    from harness.system.container import State, Sut


@dataclass(slots=True)
class Harmed:
    """A container that meets a fault, and a client of it; the port may change with each start, the client follows."""

    sut: Sut
    _clients: dict[str, Client] = field(default_factory=dict)

    @property
    def client(self) -> Client:
        """A client of the container where it listens now."""
        return self._clients.setdefault(self.sut.url, Client(self.sut.url, self.sut.profile))

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()


@contextmanager
def harmed(fault: Fault, found: Harmed) -> Iterator[Harmed]:
    """Do a container the harm of a fault; raises `FaultNotTaken` or `RevertFailed` where that went wrong."""
    sut = found.sut
    before = sut.state()
    try:
        fault.inject(sut)
        _see_taken(fault, sut, before)
        yield found
    finally:
        _revert(fault, sut, before)


def _see_taken(fault: Fault, sut: Sut, before: State) -> None:
    subject = f"fault {fault.name!r} to take on {sut.name}"
    try:
        wait_for(lambda: fault.has_taken(sut, before), subject=subject, budget_s=TAKES_S)
    except WaitedInVain as error:
        raise FaultNotTaken(str(error)) from error


def _revert(fault: Fault, sut: Sut, before: State) -> None:
    subject, mend = f"fault {fault.name!r} to be gone from {sut.name}", fault.mend(sut)
    try:
        fault.revert(sut)
        wait_for(lambda: fault.has_reverted(sut, before), subject=subject, budget_s=REVERT_S)
    except Exception as error:
        msg = f"fault {fault.name!r} was not reverted on {sut.name}: {error}; mend it with: {mend}"
        raise RevertFailed(msg) from error
