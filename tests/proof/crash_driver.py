"""Runs announcements in forks of one process that has imported once, each killed at a step, or after a while, or not.

It reads one wish a line and answers with one line: whether the fork was killed, and how many steps it took.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import slack_sdk  # noqa: F401 - so that no fork has to

from harness.alerts import Alert, Checked, Desk, Headline, Observation, announce
from harness.alerts.reply import Reply
from harness.alerts.retry import Budget
from harness.alerts.slack import SlackDoor
from harness.system.waiting import VirtualClock

TARGET = "shop/predictor"
_BUDGET = Budget(total_s=60.0, request_s=5.0, settle_s=0.0, backoff_s=0.001, pace_s=0)


class Steps:
    """Counts the steps of a delivery: each SQL statement, and each call to Slack before and after; one is the last."""

    def __init__(self, last: int | None) -> None:
        self.count = 0
        self._last = last

    def step(self) -> None:
        """Take one step; the last is never finished."""
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Count from now on."""
        connect, call = sqlite3.connect, SlackDoor.call

        def connected(*arguments: Any, **named: Any) -> sqlite3.Connection:  # noqa: ANN401 - sqlite3's own
            connection: sqlite3.Connection = connect(*arguments, **named)
            connection.set_trace_callback(lambda _: self.step())
            return connection

        def called(door: SlackDoor, /, *arguments: Any, **named: Any) -> Reply:  # noqa: ANN401 - likewise
            self.step()
            reply = call(door, *arguments, **named)
            self.step()
            return reply

        sqlite3.connect = connected  # type: ignore[assignment]  # in this fork alone
        SlackDoor.call = called  # type: ignore[method-assign, assignment]


def run(wish: dict[str, Any]) -> int:
    """Tell what one run saw, and return how many steps that took."""
    steps = Steps(wish.get("step"))
    steps.watch()
    alerts = [
        Alert(target=TARGET, rule="C3", check=f"check-{name}", must="It MUST.", evidence="no")
        for name in wish["failing"]
    ]
    covered = [Checked(target=TARGET, check=f"check-{name}") for name in wish["covered"]]
    headline = Headline(
        verdict="FAILED", target=TARGET, profile="p", at=wish["now"], duration_s=1.0 if wish["is_run"] else None
    )
    desk = Desk(
        ledger_path=Path(wish["ledger"]),
        environ={"SLACK_BOT_TOKEN": "xoxb-test", "TMPDIR": wish["folder"]},
        say=lambda line: print(line, file=sys.stderr),  # noqa: T201 - for whoever looks into a failure
        clock=VirtualClock(wish["now"]),
        budget=_BUDGET,
        base_url=wish["base_url"],
    )
    announce(Observation(alerts=alerts, covered=covered), headline, desk)
    return steps.count


def fork(wish: dict[str, Any]) -> dict[str, Any]:
    """Run in a fork, and say how it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(run(wish)).encode())
        os._exit(0)
    os.close(writing)
    if "kill_after_s" in wish:
        time.sleep(wish["kill_after_s"])
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    counted = os.read(reading, 32)
    os.close(reading)
    return {"killed": os.WIFSIGNALED(status), "steps": int(counted or 0)}


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(fork(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
