"""Locust in a process of its own: started, waited for under a budget, and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import harness
from harness.load.plan import FOLDER_VARIABLE, PARENT_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LOCUSTFILE = Path(__file__).parent / "locustfile.py"
# The user is there at once, and stops at once.
_ALWAYS = ("--only-summary", "--stop-timeout", "0", "--loglevel", "WARNING")
_STOP_BUDGET_S = 5.0
_TELL_EVERY_S = 1.0
_SHOWN_CHARACTERS = 2_000
# How Locust marks the level of a line that it logs.
_ERROR, _SHOWN_ERRORS = "/ERROR/", 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LocustProcess:
    """A running Locust with its files in a folder."""

    process: subprocess.Popen[bytes]
    output_file: Path

    def wait(self, *, budget_s: float, tell: Callable[[], None]) -> str:
        """Wait for its end, calling `tell` about once a second, and say in words how it ended."""
        deadline_s = time.monotonic() + budget_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return f"ended with exit status {self.process.wait(timeout=min(left_s, _TELL_EVERY_S))}"
            tell()
        return f"was killed: it had not ended after {budget_s:g} s"

    def last_output(self) -> str:
        """Return what it logged as errors, which may stand above its closing tables, and the end of its output."""
        printed = self.output_file.read_text(errors="replace")
        end = printed[-_SHOWN_CHARACTERS:].strip() or "(none)"
        errors = [line for line in printed.splitlines() if _ERROR in line and line not in end]
        return "\n".join([*errors[:_SHOWN_ERRORS], end])


@contextlib.contextmanager
def locust(folder: Path, options: Sequence[str], *, locustfile: Path = LOCUSTFILE) -> Iterator[LocustProcess]:
    """Run Locust with options in a folder as long as the context lasts.

    The folder is its working directory: Locust reads locust.conf and pyproject.toml where it stands.
    """
    output_file = folder / "locust.log"
    ours = {FOLDER_VARIABLE: str(folder), PARENT_VARIABLE: f"{os.getpid()}"}
    with (
        output_file.open("wb") as output,
        # A session of its own: Ctrl-C in the terminal ends the harness, which ends this process in its turn.
        subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", str(locustfile), *_ALWAYS, *options],
            env=_environment(os.environ) | ours,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield LocustProcess(process=process, output_file=output_file)
        finally:
            _end(process)


def _environment(present: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would steer Locust behind our back, and let it find this package."""
    kept = {name: value for name, value in present.items() if not name.startswith("LOCUST_")}
    home = str(Path(harness.__file__).parent.parent)
    return kept | {"PYTHONPATH": os.pathsep.join([home, *filter(None, [present.get("PYTHONPATH")])])}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process where it still runs: asked first, then killed."""
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=_STOP_BUDGET_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
