"""A process of ours inside the container's memory group: it takes what is left there until the kernel kills another."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from harness.system import hog_process

if TYPE_CHECKING:
    from harness.system.cgroup import Group

_LEAVE_BUDGET_S = 5.0
_CAP_SYS_RESOURCE = 24
# Where the process may be killed, one of the container's has to be so large, that the kernel prefers it.
_LARGER_BYTES = 11 << 20


class CannotFill(Exception):  # noqa: N818 - named by what happened
    """The process did not get into the group, or was killed itself: ours, and nothing is known about the container."""


class Hog:
    """The process, from entering a group until leaving it; it ends with the harness, and with the last of the group."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._group: Group | None = None
        self._kills_before = 0

    @property
    def pid(self) -> int:
        """Its number on this machine; 0 where there is none."""
        return 0 if self._process is None else self._process.pid

    def kills(self) -> int:
        """Return how many of the group the kernel killed since it entered; raise `CannotFill` where it was the hog."""
        if self._process is not None and self._process.poll() == -signal.SIGKILL:
            msg = f"the kernel killed process {self.pid}, which filled the memory, and none of the container's"
            raise CannotFill(msg)
        try:
            return 0 if self._group is None else self._group.memory_kills - self._kills_before
        except OSError:
            return 0  # the group went with the container

    def enter(self, group: Group) -> None:
        """Start it, and return when it is in the group and begins to take memory."""
        self._group, self._kills_before = group, group.memory_kills
        # Without the folders of packages it stays small. A session of its own: Ctrl-C in the terminal is not for it.
        command = [sys.executable, "-I", "-S", hog_process.__file__, str(group.members), str(group.memory_events)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        _, stdout, stderr = _pipes(self._process)
        if stdout.readline() != hog_process.ENTERED:
            said = stderr.read().decode(errors="replace").strip().splitlines()
            self.leave()
            msg = f"no process of ours got into {group.folder}: {''.join(said[-1:])}"
            raise CannotFill(msg)

    def leave(self) -> None:
        """End it, as often as one likes; its memory is free again."""
        if self._process is None:
            return
        for pipe in _pipes(self._process):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        try:
            self._process.wait(timeout=_LEAVE_BUDGET_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=_LEAVE_BUDGET_S)
        self._process = None


def why_not_fill(group: Group, *, largest_bytes: int, status: Path = Path("/proc/self/status")) -> str | None:
    """Say why no hog may join a group whose largest process holds so much, or would be killed there; None: it may."""
    if not group.may_be_joined:
        return "no process of ours may join its own, it takes root on the machine of Docker"
    if not _may_be_exempt(status) and largest_bytes <= _LARGER_BYTES:
        held = f"{largest_bytes / (1 << 20):.1f} MiB"
        return f"its largest process holds {held}, so the kernel would kill ours, unless that has CAP_SYS_RESOURCE"
    return None


def _may_be_exempt(status: Path) -> bool:
    rows = dict(row.split(":", 1) for row in status.read_text(encoding="ascii").splitlines())
    return bool(int(rows["CapEff"], 16) >> _CAP_SYS_RESOURCE & 1)


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        msg = "it was started without pipes"
        raise ValueError(msg)
    return process.stdin, process.stdout, process.stderr
