"""The gate: run the asked suites in a process of their own and return their verdict."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.contract.verdict import Verdict
from harness.home import home
from harness.report.github import commands, deaf, write_summary
from harness.report.history import put_away
from harness.report.report import read_page, write_report
from harness.report.verdict import FILE, unknown_json, write_verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.contract.rules import Suite

_FOLDERS: dict[Suite, str] = {
    "contract": "tests/contract",
    "dq": "tests/data_quality",
    "chaos": "tests/chaos",
    "load": "tests/load",
}
_USAGE_ERROR = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GateWish:
    """What the gate is to run: pytest options by name without dashes, suites in order, the folder of the report.

    `checks` are folders or files with checks of a team's own, which run beside them. With `github` the verdict is shown
    as GitHub's runner has it too.
    """

    options: Mapping[str, str]
    suites: tuple[Suite, ...]
    report_dir: Path
    checks: tuple[Path, ...] = ()
    github: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEnd:
    """How the gate ended."""

    verdict: Verdict | None
    exit_status: int


def run_gate(wish: GateWish, say: Callable[[str], None] = print) -> GateEnd:
    """Run pytest on the suites; a run that leaves no verdict is UNKNOWN, wrong usage ends with 4."""
    report_dir = wish.report_dir.resolve()
    report_dir.mkdir(parents=True, exist_ok=True)
    put_away(report_dir)
    with _runner_deaf(say) if wish.github else nullcontext():
        status = _run_pytest(wish, report_dir)
    if status == _USAGE_ERROR:
        return GateEnd(verdict=None, exit_status=_USAGE_ERROR)
    verdict = _verdict(report_dir, wish.suites, status)
    if wish.github:
        _tell_runner(report_dir, say)
    return GateEnd(verdict=verdict, exit_status=verdict.exit_status)


@contextmanager
def _runner_deaf(say: Callable[[str], None]) -> Iterator[None]:
    """Let GitHub's runner obey no line of the run: pytest prints what the container logged."""
    stop, resume = deaf(secrets.token_hex(16))
    say(stop)
    try:
        yield
    finally:
        say(resume)


def _tell_runner(report_dir: Path, say: Callable[[str], None]) -> None:
    page = read_page(report_dir)
    for line in commands(page):
        say(line)
    write_summary(page, os.environ)


def _run_pytest(wish: GateWish, report_dir: Path) -> int:
    place = home()
    options = [f"--{name}={_absolute(name, value)}" for name, value in wish.options.items()]
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "harness.progress"),
        *("-m", " or ".join(wish.suites), f"--rootdir={place}", "-c", str(place / "pytest.toml")),
        *(f"--sut-report-dir={report_dir}", f"--junitxml={report_dir / 'junit.xml'}"),
        *options,
        *(_FOLDERS[suite] for suite in wish.suites),
        *(str(folder.resolve()) for folder in wish.checks),
    ]
    # A harness that is told to stop takes its pytest with it; the guard then removes the containers.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    process = subprocess.Popen(command, cwd=place)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal sent it to pytest too: let it clean up and conclude.
        return process.wait()
    finally:
        process.terminate()


def _absolute(name: str, value: str) -> str:
    """Make a path absolute: the suites run from the project's root, wherever the command was given."""
    return str(Path(value).resolve()) if name in ("sut-profile", "sut-history", "sut-ledger") else value


def _verdict(report_dir: Path, suites: tuple[Suite, ...], status: int) -> Verdict:
    """Return the verdict that the run left, or UNKNOWN in its place, which is then written, with its page."""
    path = report_dir / FILE
    if not path.exists():
        found = unknown_json(f"the run ended with status {status} before it came to a verdict", suites)
    else:
        found = json.loads(path.read_text(encoding="utf-8"))
        if set(found["suites"]) == set(suites):
            return Verdict(found["verdict"])
        # A suite that was asked for and did not run makes the verdict unknown, unless it failed already.
        found.setdefault("reason", f"of the suites {', '.join(suites)} only {', '.join(found['suites'])} ran")
        if found["verdict"] == Verdict.PASSED:
            found["verdict"] = Verdict.UNKNOWN.value
    write_verdict(found, report_dir)
    write_report(report_dir)
    return Verdict(found["verdict"])
