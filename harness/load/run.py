"""Measure: start the generators, in processes of their own, wait for them under a budget, and read their record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.levels import series_in
from harness.load.locust_process import locust
from harness.load.plan import PLAN_FILE, PROGRESS_FILE, Plan
from harness.load.progress import read_progress
from harness.load.record import RecordBroken, read_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.load.progress import Progress
    from harness.load.record import LoadRecord

_SERIES_S = 600
_START_BUDGET_S = 30.0
# What Locust itself makes of the run, in its own rounded figures.
_ITS_OWN_REPORTS = ("--csv", "locust", "--html", "locust.html")


class MeasurementFailed(Exception):  # noqa: N818 - named by what happened
    """The measurement could not be made, or cannot be trusted: our side, never theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Workers elsewhere that send the load, and where they find the master; they are waited for `patience_s`."""

    workers: int
    host: str = "127.0.0.1"
    port: int = 5557
    patience_s: float = 60.0

    @property
    def options(self) -> list[str]:
        """What Locust is told: it begins when all workers are there, and each gets one user."""
        return [
            *("--master", "--expect-workers", f"{self.workers}", "--users", f"{self.workers}"),
            *("--spawn-rate", f"{self.workers}", "--expect-workers-max-wait", f"{self.patience_s:.0f}"),
            *("--master-bind-host", self.host, "--master-bind-port", f"{self.port}"),
        ]


def measure(
    url: str,
    profile: Profile,
    *,
    report_dir: Path,
    seed: int = 0,
    series: Sequence[Second] | None = None,
    rate_per_s: float | None = None,
    duration_s: float | None = None,
    crew: Crew | None = None,
    watch: Callable[[Progress], None] | None = None,
) -> LoadRecord:
    """Load `url` at the profile's rate (1/s) and duration (s), or at those given, and return the record.

    Plan, record and Locust's own reports stay in `report_dir`/load; `watch` hears once a second how far it is.
    Raises `MeasurementFailed` where the generators did not leave a whole record.
    """
    plan = plan_of(url, profile, seed=seed, series=series, rate_per_s=rate_per_s, duration_s=duration_s)
    folder = (report_dir / "load").resolve()
    ending = carry_out(plan, folder, crew=crew, watch=watch)
    try:
        return read_record(folder / plan.file_of(0), plan)
    except RecordBroken as error:
        msg = f"the load generator {ending}\n{error}"
        raise MeasurementFailed(msg) from error


def plan_of(
    url: str,
    profile: Profile,
    *,
    seed: int = 0,
    series: Sequence[Second] | None = None,
    rate_per_s: float | None = None,
    duration_s: float | None = None,
    lap_s: float = 0.0,
) -> Plan:
    """Return a plan; what is not given is the profile's, or generated."""
    chosen = tuple(series) if series is not None else tuple(series_in(profile, seed=seed, seconds=_SERIES_S))
    plan = Plan(
        url=url.rstrip("/"),
        profile=profile,
        series=chosen,
        rate_per_s=profile.load.rate_per_s if rate_per_s is None else rate_per_s,
        duration_s=profile.load.duration_s if duration_s is None else duration_s,
        seed=seed,
        lap_s=lap_s,
    )
    _refuse_nonsense(plan)
    return plan


def carry_out(
    plan: Plan,
    folder: Path,
    *,
    crew: Crew | None = None,
    watch: Callable[[Progress], None] | None = None,
    look: Callable[[], None] = lambda: None,
) -> str:
    """Run the generators with their files in a folder, and say how they ended; `look` is called once a second."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.jsonl"), *folder.glob("*.part"), folder / PROGRESS_FILE):
        old.unlink(missing_ok=True)
    (folder / PLAN_FILE).write_text(plan.to_json())
    options = crew.options if crew is not None else ["--users", "1", "--spawn-rate", "1"]
    budget_s = plan.longest_s + _START_BUDGET_S + (crew.patience_s if crew is not None else 0.0)

    def tell() -> None:
        progress = read_progress(folder / PROGRESS_FILE)
        if watch is not None and progress is not None:
            watch(progress)
        look()

    with locust(folder, ["--headless", *_ITS_OWN_REPORTS, *options]) as running:
        ending = running.wait(budget_s=budget_s, tell=tell)
    return f"{ending}; its last output:\n{running.last_output()}"


def _refuse_nonsense(plan: Plan) -> None:
    if plan.rate_per_s <= 0 or plan.duration_s <= 0 or plan.offsets < 1:
        msg = (
            f"no load of {plan.rate_per_s:g} requests/s for {plan.duration_s:g} s from {len(plan.series)} seconds: "
            f"rate and duration must be above 0, and the series hold {plan.profile.window.records} seconds or more"
        )
        raise ValueError(msg)
