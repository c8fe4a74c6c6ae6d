"""Locust's side: one user runs the open loop and tells Locust of every request, so that its own statistics work."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import ClassVar

import gevent
from locust import User, constant, task

from harness.load.open_loop import OpenLoop
from harness.load.plan import PLAN_VARIABLE, PROGRESS_VARIABLE, RECORD_VARIABLE, Plan, read_plan
from harness.load.progress import write_progress
from harness.load.record import Attempt, write_record

_OK = 200
_PRIORITY = -10
_NOT_MEASURED = 3
_UNTIL_STOPPED_S = 60.0


class Scheduler(User):
    """The only user: it sends everything, and ends the run when the last answer is in."""

    fixed_count = 1
    wait_time = constant(0)
    methods: ClassVar[dict[str, str]] = {"invocation": "POST", "ping": "GET"}

    @task
    def measure(self) -> None:
        """Run the plan once and leave, whether or not it ended well: only a whole record counts."""
        self.environment.process_exit_code = _NOT_MEASURED
        try:
            self.run_plan(read_plan(Path(os.environ[PLAN_VARIABLE])), Path(os.environ[RECORD_VARIABLE]))
            self.environment.process_exit_code = 0  # what the sut answered is judged elsewhere
        finally:
            gevent.spawn(self.environment.runner.quit)
        gevent.sleep(_UNTIL_STOPPED_S)

    def run_plan(self, plan: Plan, record: Path) -> None:
        """Send all that is planned and write the record, whole or not at all."""
        # A sut that takes every core must not be able to delay the clock that it is measured by; needs the privilege.
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
        loop = OpenLoop(plan, self.tell)
        reporter = gevent.spawn(self.report, loop, plan)
        generator = loop.run()
        reporter.kill()
        draft = record.with_suffix(".part")
        with draft.open("w") as sheet:
            write_record(loop.attempts, generator, sheet)
        draft.rename(record)

    def report(self, loop: OpenLoop, plan: Plan) -> None:
        """Say once a second how far the measurement is."""
        while True:
            gevent.sleep(1)
            write_progress(loop.attempts, plan, Path(os.environ[PROGRESS_VARIABLE]))

    def tell(self, attempt: Attempt) -> None:
        """Fire Locust's own event; its response time runs from the due moment, in milliseconds."""
        failure = None if attempt.status == _OK else RuntimeError(attempt.detail or f"status {attempt.status}")
        self.environment.events.request.fire(
            request_type=self.methods[attempt.kind],
            name=attempt.kind,
            response_time=attempt.latency_s * 1000,
            response_length=len(attempt.body),
            exception=failure,
            context={},
        )
