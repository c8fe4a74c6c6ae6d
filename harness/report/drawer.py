"""Draws timelines while experiments go on, in a process of its own that ends with the harness."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from harness.experiment.judge import judge
from harness.experiment.record import read

_NICENESS = 10
_LAST_BUDGET_S = 60.0


class Drawer:
    """Takes records, and draws each beside its file; it starts with the first."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def draw(self, record: Path) -> None:
        """Have a record drawn, some time until closing."""
        with self._lock:
            if self._process is None:
                # A session of its own: Ctrl-C in the terminal is not meant for it.
                command = [sys.executable, "-m", __name__]
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)
            if self._process.stdin is not None:
                self._process.stdin.write(f"{record}\n")
                self._process.stdin.flush()

    def close(self) -> None:
        """Wait until all is drawn; raise where something could not be."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        status = self._process.wait(timeout=_LAST_BUDGET_S)
        self._process = None
        if status:
            msg = f"the timelines could not be drawn: exit status {status}"
            raise RuntimeError(msg)


def _draw_all(paths: IO[str]) -> None:
    from harness.report.timeline import draw  # noqa: PLC0415 - the drawing library is for this process alone

    os.nice(_NICENESS)
    for line in paths:
        path = Path(line.rstrip("\n"))
        record = read(path)
        draw(record, judge(record), path.with_suffix(".svg"), headline=False)


if __name__ == "__main__":
    _draw_all(sys.stdin)
