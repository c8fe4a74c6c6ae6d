"""`harness load --worker`: this machine sends its part of a master's load."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.load.locust_process import locust

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

_UNKNOWN = 2


def run_worker(chosen: argparse.Namespace) -> int:
    """Wait for the master, work for it, and return 0 where the work was done."""
    folder: Path = (chosen.report_dir / f"worker-{os.getpid()}").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    _say(f"a worker for the master at {chosen.master_host}:{chosen.master_port}; Ctrl-C ends it")
    with locust(
        folder, ["--worker", "--master-host", chosen.master_host, "--master-port", f"{chosen.master_port}"]
    ) as running:
        try:
            status = running.process.wait()
        except KeyboardInterrupt:
            return _UNKNOWN
    _say("done" if status == 0 else f"UNKNOWN: the work was not done; the last output:\n{running.last_output()}")
    return _UNKNOWN if status else 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - printing is what a command does
