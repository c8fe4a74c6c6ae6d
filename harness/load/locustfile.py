"""Locust's side: one user a process runs the open loop and tells Locust of every request."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import gevent
from locust import User, constant, events, runners, stats, task
from locust.runners import MasterRunner, WorkerRunner

from harness.load.crew import CSV_EVERY_S, WORKERS_REPORT_EVERY_S, Alone, Master, Seat, Worker
from harness.load.orphan import end_with_parent
from harness.load.plan import FOLDER_VARIABLE, PLAN_FILE, read_plan

_UNTIL_STOPPED_S = 3600.0

# Locust's last second would be missing from its own reports.
stats.CSV_STATS_INTERVAL_SEC = CSV_EVERY_S  # type: ignore[assignment]  # a time to sleep
runners.WORKER_REPORT_INTERVAL = WORKERS_REPORT_EVERY_S

end_with_parent()


class Scheduler(User):
    """The only user of a process: it sends everything that the process is to send."""

    wait_time = constant(0)
    seat: ClassVar[Seat]

    @task
    def measure(self) -> None:
        """Work once, and do nothing more until the run ends."""
        self.seat.work()
        gevent.sleep(_UNTIL_STOPPED_S)


@events.init.add_listener  # type: ignore[untyped-decorator]  # Locust ships no types
def on_init(environment: Any, runner: Any, **_: object) -> None:  # noqa: ANN401 - likewise
    """Take the seat that this process was started for; a worker gets its plan from the master."""
    if isinstance(runner, WorkerRunner):
        Scheduler.seat = Worker(environment)
        return
    folder = Path(os.environ[FOLDER_VARIABLE])
    plan = read_plan((folder / PLAN_FILE).read_text())
    seat = Master if isinstance(runner, MasterRunner) else Alone
    Scheduler.seat = seat(environment, plan, folder)
