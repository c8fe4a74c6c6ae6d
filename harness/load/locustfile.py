"""Locust's side: one user runs the open loop and tells Locust of every request, so that its own statistics work."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import ClassVar

import gevent
from locust import User, constant, task

from harness.load.open_loop import OpenLoop
from harness.load.plan import PLAN_VARIABLE, RECORD_VARIABLE, read_plan
from harness.load.record import Attempt, write_record

_OK = 200
_PRIORITY = -10


class Scheduler(User):
    """The only user: it sends everything, and ends the run when the last answer is in."""

    fixed_count = 1
    wait_time = constant(0)
    methods: ClassVar[dict[str, str]] = {"invocation": "POST", "ping": "GET"}

    @task
    def measure(self) -> None:
        """Run the plan once, write the record whole or not at all, and leave."""
        # A sut that takes every core must not be able to delay the clock that it is measured by; needs the privilege.
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
        plan = read_plan(Path(os.environ[PLAN_VARIABLE]))
        loop = OpenLoop(plan, self.tell)
        generator = loop.run()
        record = Path(os.environ[RECORD_VARIABLE])
        draft = record.with_suffix(".part")
        with draft.open("w") as sheet:
            write_record(loop.attempts, generator, sheet)
        draft.rename(record)
        self.environment.process_exit_code = 0  # what the sut answered is judged elsewhere
        gevent.spawn(self.environment.runner.quit)
        gevent.sleep(plan.longest_s)  # until the runner ends this user

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
