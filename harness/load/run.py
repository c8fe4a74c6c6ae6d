"""Measure: start the generator in a process of its own, wait for it under a budget, and read what it recorded."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import harness
from harness.contract.series import generate
from harness.load.plan import PLAN_VARIABLE, PROGRESS_VARIABLE, RECORD_VARIABLE, Plan, write_plan
from harness.load.progress import read_progress
from harness.load.record import RecordBroken, read_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.load.progress import Progress
    from harness.load.record import LoadRecord

LOCUSTFILE = Path(__file__).parent / "locustfile.py"
_SERIES_S = 600
_START_BUDGET_S = 30.0
_STOP_BUDGET_S = 5.0
_SHOWN_CHARACTERS = 2_000
_TELL_EVERY_S = 1.0


class MeasurementFailed(Exception):  # noqa: N818 - named by what happened
    """The measurement could not be made, or cannot be trusted: our side, never theirs."""


def measure(
    url: str,
    profile: Profile,
    *,
    report_dir: Path,
    seed: int = 0,
    series: Sequence[Second] | None = None,
    rate_per_s: float | None = None,
    duration_s: float | None = None,
    watch: Callable[[Progress], None] | None = None,
) -> LoadRecord:
    """Load `url` at the profile's rate (1/s) and duration (s), or at those given, and return the record.

    Plan, record and the generator's output stay in `report_dir`/load; `watch` hears once a second how far it is.
    Raises `MeasurementFailed` where the generator did not leave a whole record.
    """
    chosen = tuple(series) if series is not None else tuple(generate(seed=seed, seconds=_SERIES_S))
    plan = Plan(
        url=url.rstrip("/"),
        profile=profile,
        series=chosen,
        rate_per_s=profile.load.rate_per_s if rate_per_s is None else rate_per_s,
        duration_s=profile.load.duration_s if duration_s is None else duration_s,
        seed=seed,
    )
    _refuse_nonsense(plan)
    return run_plan(plan, (report_dir / "load").resolve(), watch=watch)


def run_plan(plan: Plan, folder: Path, *, watch: Callable[[Progress], None] | None = None) -> LoadRecord:
    """Run one plan with its files in `folder`; raise `MeasurementFailed` as `measure` does."""
    folder.mkdir(parents=True, exist_ok=True)
    plan_file, record_file, output_file = folder / "plan.json", folder / "record.jsonl", folder / "locust.log"
    progress_file = folder / "progress.json"
    for old in (record_file, progress_file):
        old.unlink(missing_ok=True)
    write_plan(plan, plan_file)
    files = {PLAN_VARIABLE: plan_file, RECORD_VARIABLE: record_file, PROGRESS_VARIABLE: progress_file}
    environment = _environment(os.environ) | {name: str(path) for name, path in files.items()}
    tell = _telling(progress_file, watch)
    ending = _run(environment, output_file, budget_s=plan.longest_s + _START_BUDGET_S, tell=tell)
    try:
        return read_record(record_file, plan)
    except RecordBroken as error:
        output = output_file.read_text(errors="replace")[-_SHOWN_CHARACTERS:].strip()
        msg = f"the load generator {ending}; {error}; its last output:\n{output or '(none)'}"
        raise MeasurementFailed(msg) from error


def _refuse_nonsense(plan: Plan) -> None:
    if plan.rate_per_s <= 0 or plan.duration_s <= 0 or plan.offsets < 1:
        msg = (
            f"no load of {plan.rate_per_s:g} requests/s for {plan.duration_s:g} s from {len(plan.series)} seconds: "
            f"rate and duration must be above 0, and the series hold {plan.profile.window.records} seconds or more"
        )
        raise ValueError(msg)


def _environment(present: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would steer Locust behind our back, and let it find this package."""
    kept = {name: value for name, value in present.items() if not name.startswith("LOCUST_")}
    home = str(Path(harness.__file__).parent.parent)
    return kept | {"PYTHONPATH": os.pathsep.join([home, *filter(None, [present.get("PYTHONPATH")])])}


def _telling(progress_file: Path, watch: Callable[[Progress], None] | None) -> Callable[[], None]:
    def tell() -> None:
        progress = read_progress(progress_file) if watch is not None else None
        if watch is not None and progress is not None:
            watch(progress)

    return tell


def _run(environment: Mapping[str, str], output_file: Path, *, budget_s: float, tell: Callable[[], None]) -> str:
    """Run Locust to its end or to the budget's, and say in words how it ended."""
    # The folder of the report is the working directory: Locust reads locust.conf and pyproject.toml where it stands.
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary"]
    command += ["--users", "1", "--spawn-rate", "1", "--stop-timeout", "0", "--loglevel", "WARNING"]
    with (
        output_file.open("wb") as output,
        # A session of its own: Ctrl-C in the terminal ends the harness, which ends this process in its turn.
        subprocess.Popen(
            command,
            env=environment,
            cwd=output_file.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            return _ending(process, budget_s=budget_s, tell=tell)
        finally:
            _end(process)


def _ending(process: subprocess.Popen[bytes], *, budget_s: float, tell: Callable[[], None]) -> str:
    """Wait for the generator, and say in words how it ended."""
    deadline_s = time.monotonic() + budget_s
    while (left_s := deadline_s - time.monotonic()) > 0:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return f"ended with exit status {process.wait(timeout=min(left_s, _TELL_EVERY_S))}"
        tell()
    return f"was killed: it had not ended after {budget_s:g} s"


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
