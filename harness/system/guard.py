"""A run and its guard: whatever way the harness ends, no container of its run outlives it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import docker
import docker.errors

from harness.system.waiting import sleep_until

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL = "inference-harness"
_ORDERLY = b"end"
_LATE_ROUNDS = 4
_RUN, _HOST, _PROCESS = f"{LABEL}.run", f"{LABEL}.host", f"{LABEL}.process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the harness; what it creates carries `labels`."""

    id: str
    guard: subprocess.Popen[bytes]

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of all that this run creates: which run, on which machine, of which process."""
        return {_RUN: self.id, _HOST: socket.gethostname(), _PROCESS: _identity(os.getpid())}

    def end(self) -> None:
        """Let the guard clean up now, and wait until it has."""
        if self.guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.guard.stdin.write(_ORDERLY)
                self.guard.stdin.close()
        self.guard.wait(timeout=30)


def begin_run() -> Run:
    """Sweep what dead runs left, start a guard, and return the run."""
    sweep()
    run_id = uuid.uuid4().hex[:12]
    # A session of its own: Ctrl-C in the terminal ends the harness, not the guard.
    guard = subprocess.Popen([sys.executable, "-m", __name__, run_id], stdin=subprocess.PIPE, start_new_session=True)
    return Run(id=run_id, guard=guard)


def sweep() -> list[str]:
    """Remove containers of runs whose process on this machine is dead; return their names."""
    engine = docker.from_env()
    try:
        mine = [_RUN, f"{_HOST}={socket.gethostname()}"]
        # Another run may end meanwhile, and its containers with it.
        found = engine.containers.list(all=True, filters={"label": mine}, ignore_removed=True)
        dead = [container for container in found if not _is_alive(container.labels.get(_PROCESS, ""))]
        for container in dead:
            with contextlib.suppress(docker.errors.NotFound):
                container.remove(force=True, v=True)
        return [str(container.name) for container in dead]
    finally:
        engine.close()


def remove_run(run_id: str) -> None:
    """Remove every container that carries a run's label, until none is left."""
    engine = docker.from_env()
    try:
        while found := engine.containers.list(all=True, filters={"label": f"{_RUN}={run_id}"}, ignore_removed=True):
            for container in found:
                with contextlib.suppress(docker.errors.NotFound, docker.errors.APIError):
                    container.remove(force=True, v=True)
    finally:
        engine.close()


def scratch_prefix(pid: int) -> str:
    """Return how the name of a folder begins that a harness lays down for its time; the guard of its run removes it."""
    return f"{LABEL}-{pid}-"


def _remove_scratch(pid: int) -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{scratch_prefix(pid)}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _identity(pid: int) -> str:
    """Name a process so that a later one with the same number is not taken for it."""
    try:
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        started = "?"
    return f"{pid}:{started}"


def _is_alive(identity: str) -> bool:
    pid = identity.partition(":")[0]
    return pid.isdigit() and _identity(int(pid)) == identity and Path(f"/proc/{pid}").exists()


def _watch(run_id: str, lifeline: IO[bytes]) -> None:
    """Wait until the harness closes its end of the pipe, as its death does too, then clean up."""
    harness_pid = os.getppid()
    orderly = lifeline.read() == _ORDERLY
    remove_run(run_id)
    _remove_scratch(harness_pid)
    for _ in range(0 if orderly else _LATE_ROUNDS):
        # Docker may still be creating what the dead harness asked for last.
        sleep_until(time.monotonic() + 1)
        remove_run(run_id)


if __name__ == "__main__":
    _watch(sys.argv[1], sys.stdin.buffer)
