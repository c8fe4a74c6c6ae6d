"""Measure: start the generator in a process of its own, wait for it under a budget, and read what it recorded."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import harness
from harness.contract.series import generate
from harness.load.plan import PLAN_VARIABLE, RECORD_VARIABLE, Plan, write_plan
from harness.load.record import RecordBroken, read_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.load.record import LoadRecord

LOCUSTFILE = Path(__file__).parent / "locustfile.py"
_SERIES_S = 600
_START_BUDGET_S = 30.0
_STOP_BUDGET_S = 5.0
_SHOWN_CHARACTERS = 2_000


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
) -> LoadRecord:
    """Load `url` at the profile's rate (1/s) and duration (s), or at those given, and return the record.

    Plan, record and the generator's output stay in `report_dir`/load. Raises `MeasurementFailed` where the generator
    did not leave a whole record.
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
    return run_plan(plan, (report_dir / "load").resolve())


def run_plan(plan: Plan, folder: Path) -> LoadRecord:
    """Run one plan with its files in `folder`; raise `MeasurementFailed` as `measure` does."""
    folder.mkdir(parents=True, exist_ok=True)
    plan_file, record_file, output_file = folder / "plan.json", folder / "record.jsonl", folder / "locust.log"
    record_file.unlink(missing_ok=True)
    write_plan(plan, plan_file)
    environment = _environment(os.environ) | {PLAN_VARIABLE: str(plan_file), RECORD_VARIABLE: str(record_file)}
    ending = _run(environment, output_file, budget_s=plan.longest_s + _START_BUDGET_S)
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


def _run(environment: Mapping[str, str], output_file: Path, *, budget_s: float) -> str:
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
            return f"ended with exit status {process.wait(timeout=budget_s)}"
        except subprocess.TimeoutExpired:
            return f"was killed: it had not ended after {budget_s:g} s"
        finally:
            _end(process)


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
