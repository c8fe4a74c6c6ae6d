"""Who sits in a Locust process: one that does all, or a master with workers that share the schedule; only there."""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import gevent
from gevent.event import Event

from harness.load.arrivals import WHOLE, Part
from harness.load.desk import Desk
from harness.load.open_loop import OpenLoop, planned
from harness.load.plan import Plan, read_plan
from harness.load.record import Generator, of_row, row_of
from harness.load.sheet import Batch
from harness.load.telling import telling

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The messages: from the master each worker's part, from the workers what they recorded.
_PART, _BATCH = "harness_part", "harness_batch"
_PRIORITY = -10
_NOT_MEASURED = 3
_PLAN_BUDGET_S = 20.0
_LOOKED_AFTER_EVERY_S = 1.0
# So often do workers send the master Locust's statistics, and does Locust write its CSV: some milliseconds each time,
# which those that come then wait for.
WORKERS_REPORT_EVERY_S, CSV_EVERY_S = 0.5, 1.0
_LOG = logging.getLogger(__name__)


class Seat(Protocol):
    """What a process does when Locust starts its one user."""

    def work(self) -> None:
        """Send what is to be sent; return when the last answer is in."""


@dataclass(slots=True)
class Alone:
    """Sends the whole schedule and writes the record."""

    environment: Any
    plan: Plan
    folder: Path

    def work(self) -> None:
        """Run the plan once and leave, whether or not it ended well: only a whole record counts."""
        self.environment.process_exit_code = _NOT_MEASURED
        try:
            come_first()
            desk = Desk(self.plan, self.folder)
            OpenLoop(self.plan, planned(self.plan, WHOLE), telling(self.environment), desk.take).run()
            self.environment.process_exit_code = 0  # what the sut answered is judged elsewhere
        finally:
            gevent.spawn(leave, self.environment)


@dataclass(slots=True)
class Worker:
    """Sends its part of the master's schedule, and sends the master what it recorded."""

    environment: Any
    _loop: OpenLoop | None = None
    _has_part: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        """Listen for the part."""
        self.environment.runner.register_message(_PART, self._prepare)

    def work(self) -> None:
        """Run the part once; the master ends the run."""
        self.environment.process_exit_code = _NOT_MEASURED
        self._has_part.wait(_PLAN_BUDGET_S)
        loop, self._loop = self._loop, None
        if loop is not None:
            come_first()
            loop.run()
            self.environment.process_exit_code = 0

    def _prepare(self, environment: Any, msg: Any, **_: object) -> None:  # noqa: ANN401 - Locust ships no types
        plan, part = read_plan(msg.data["plan"]), Part(**msg.data["part"])
        self._loop = OpenLoop(plan, planned(plan, part), telling(environment), self._hand_over, part)
        self._has_part.set()

    def _hand_over(self, batch: Batch) -> None:
        self.environment.runner.send_message(_BATCH, _message_of(batch))


@dataclass(slots=True)
class Master:
    """Gives each worker its part, and makes one record of what they all send."""

    environment: Any
    plan: Plan
    folder: Path
    _desk: Desk | None = None

    def __post_init__(self) -> None:
        """Wait for the start, and for what the workers send."""
        self.environment.process_exit_code = _NOT_MEASURED
        self.environment.runner.register_message(_BATCH, self._take)
        self.environment.events.test_start.add_listener(self._share_out)

    def work(self) -> None:
        """Send nothing: a master has no users."""

    def _share_out(self, **_: object) -> None:
        runner = self.environment.runner
        workers = list(runner.clients.ready)
        self._desk = Desk(self.plan, self.folder, sources=len(workers))
        text = self.plan.to_json()
        for index, worker in enumerate(workers):
            part = Part(index=index, of=len(workers))
            runner.send_message(_PART, {"plan": text, "part": asdict(part)}, worker.id)
        gevent.spawn(self._look_after, len(workers))

    def _take(self, msg: Any, **_: object) -> None:  # noqa: ANN401 - Locust ships no types
        if self._desk is None or self._desk.is_complete:
            return
        self._desk.take(_batch_of(msg.data), msg.node_id)
        if self._desk.is_complete:
            self.environment.process_exit_code = 0
            gevent.spawn(leave, self.environment)

    def _look_after(self, workers: int) -> None:
        """End the run where a worker is lost: its part of the load is missing from then on."""
        while self._desk is not None and not self._desk.is_complete:
            gevent.sleep(_LOOKED_AFTER_EVERY_S)
            left = self.environment.runner.worker_count
            if left < workers and not self._desk.is_complete:
                _LOG.error("%d of %d workers were lost: the load that was planned is not sent", workers - left, workers)
                self.environment.runner.quit()
                return


def leave(environment: Any) -> None:  # noqa: ANN401 - Locust ships no types
    """End the run, after Locust has written what it knows."""
    gevent.sleep(WORKERS_REPORT_EVERY_S + CSV_EVERY_S)
    environment.runner.quit()


def come_first() -> None:
    """Let no sut that takes every core delay the clock that it is measured by; needs the privilege."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)


def _message_of(batch: Batch) -> dict[str, Any]:
    return {
        "attempts": [row_of(attempt) for attempt in batch.attempts],
        "generator": asdict(batch.generator),
        "until_s": batch.until_s,
        "is_last": batch.is_last,
    }


def _batch_of(message: Mapping[str, Any]) -> Batch:
    return Batch(
        attempts=[of_row(row) for row in message["attempts"]],
        generator=Generator(**message["generator"]),
        until_s=message["until_s"],
        is_last=message["is_last"],
    )
