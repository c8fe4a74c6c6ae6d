"""The container's processes as the machine sees them, where Docker runs on this machine and we may touch them."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.system.container import Sut

_PROC = Path("/proc")
_PAGE_BYTES = resource.getpagesize()
_RESIDENT = 1


class OutOfReach(Exception):  # noqa: N818 - named by what happened
    """The container's processes are not ours to touch; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process of a container, by its number on this machine; one that has ended holds no memory."""

    pid: int
    is_first: bool
    memory_bytes: int

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by now, waited for by its parent or not."""
        return not _memory_bytes(self.pid)

    @property
    def files(self) -> int:
        """How many files it has open; 0 where it has ended. Raises PermissionError where they are not ours to see."""
        try:
            return sum(1 for _ in (_PROC / str(self.pid) / "fd").iterdir())
        except FileNotFoundError:
            return 0

    @property
    def maps(self) -> str:
        """The files that it has mapped, as the kernel lists them; nothing where it has ended."""
        try:
            return (_PROC / str(self.pid) / "maps").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""

    @property
    def root(self) -> Path:
        """Its root folder, seen from here."""
        return _PROC / str(self.pid) / "root"


def is_of_this_machine(sut: Sut) -> bool:
    """Whether the container is up, and its first process one of this machine."""
    sut.container.reload()
    first = int(sut.container.attrs["State"]["Pid"])
    return bool(first) and _belongs(first, str(sut.container.id))


def processes_of(sut: Sut) -> list[Process]:
    """Return the processes of a running container, its first one first; raise `OutOfReach` where we may not touch."""
    if not is_of_this_machine(sut):
        msg = f"the processes of {sut.name} are not processes of this machine, or it is down"
        raise OutOfReach(msg)
    first, named = int(sut.container.attrs["State"]["Pid"]), str(sut.container.id)
    try:
        os.kill(first, 0)
    except OSError as error:
        msg = f"the processes of {sut.name} belong to another user: it takes root on the machine of Docker"
        raise OutOfReach(msg) from error
    others = [int(path.name) for path in _PROC.glob("[0-9]*") if int(path.name) != first]
    pids = [first, *sorted(pid for pid in others if _belongs(pid, named))]
    return [Process(pid=pid, is_first=pid == first, memory_bytes=_memory_bytes(pid)) for pid in pids]


def _belongs(pid: int, container_id: str) -> bool:
    """Whether a process is in the container's cgroup, whichever version that has."""
    try:
        return container_id in (_PROC / str(pid) / "cgroup").read_text()
    except OSError:
        return False


def _memory_bytes(pid: int) -> int:
    try:
        return int((_PROC / str(pid) / "statm").read_text().split()[_RESIDENT]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0
