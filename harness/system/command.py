"""Programs that the set-up runs: no input, one stream of output, an end."""

import os
import subprocess
from collections.abc import Mapping, Sequence

_STOPPED = 124  # as coreutils' `timeout` has it
_LAST_LINES = 15


def run(
    command: Sequence[str], *, budget_s: float, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """Run a program; one that outlasts its budget is killed, and says so in its output, with exit status 124."""
    try:
        return subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=budget_s,
            env=environment,
        )
    except subprocess.TimeoutExpired as expired:
        said = (expired.stdout or b"").decode(errors="replace")
        return subprocess.CompletedProcess(command, _STOPPED, f"{said}\nstopped: no end within {budget_s:g} s")


def last_lines(text: str) -> str:
    """Cut a log to the lines that tell why a program ended."""
    return "\n".join(text.splitlines()[-_LAST_LINES:])
