"""A night that is played again: $10,000 up at 03:00, by the monitor's own code, on a clock that jumps.

python -m harness.alerts.monitor.replay     # shows what is told, and ends with 0 where it is one alert and one recovery
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.alerts.desk import Desk
from harness.alerts.monitor.look import Scene
from harness.alerts.monitor.sight import Subject
from harness.alerts.monitor.state import Shelf
from harness.alerts.monitor.watch import Watch
from harness.alerts.retry import Budget
from harness.alerts.slack_server import SlackServer
from harness.contract.profile import load_profile
from harness.contract.records import SECOND_NS, Window, build
from harness.contract.series import Second, generate
from harness.system.client import Answer, Exchange, Request
from harness.system.waiting import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile, WindowRule
    from harness.contract.records import Record
    from harness.system.waiting import Clock

_GIVEN = 400
_BEGIN = datetime(2026, 1, 15, 2, 30, tzinfo=UTC)
_JUMP = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
_SECONDS = 3_600
_LEVEL = 60_000.0
_DOLLARS = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A feed that gives a series second by second, as its clock goes."""

    rule: WindowRule
    seconds: Sequence[Second]
    begin_s: int
    clock: Clock

    def read(self) -> list[Record]:
        """Return the newest records."""
        passed = min(max(0, int(self.clock.now()) - self.begin_s), len(self.seconds))
        given = self.seconds[max(0, passed - _GIVEN) : passed]
        window = build(self.rule, given, end_ns=(self.begin_s + passed) * SECOND_NS)
        return window.editable()


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """An endpoint that is always well, and predicts the last close; `skew` is a factor on its predictions."""

    profile: Profile
    skew: float = 1.0

    def ping(self, *, timeout_s: float | None = None) -> Exchange:
        """Answer a ping."""
        del timeout_s
        return _exchange("GET", self.profile.http.ping_path, {})

    def predict(self, window: Window, *, timeout_s: float | None = None) -> Exchange:
        """Predict what the contract wants: the last close, and an anomaly where the price jumped."""
        del timeout_s
        rule, promise = self.profile.window, self.profile.prediction
        closes = [float(str(record[rule.target])) for record in window.records]
        moves = [abs(b / a - 1) for a, b in pairwise(closes)]
        jumped = [{"code": "jump", "message": "the price jumped"}] if max(moves) > promise.jump_move * 0.9 else []
        body = {
            "prediction": closes[-1] * self.skew,
            "as_of": window.newest(rule.named("end")),
            "horizon_s": promise.horizon_s,
            "model": {"name": "persistence", "version": "1"},
            "anomalies": jumped,
        }
        return _exchange("POST", self.profile.http.invocations_path, body)

    def close(self) -> None:
        """Nothing is open."""


def raised(seconds: Sequence[Second], *, at: int, by: float, lasts_s: int | None = None) -> list[Second]:
    """Return a series whose prices are higher by some dollars from one second on, for a while or for good."""
    until = len(seconds) if lasts_s is None else at + lasts_s
    return [
        replace(second, open=second.open + by, high=second.high + by, low=second.low + by, close=second.close + by)
        if at <= place < until
        else second
        for place, second in enumerate(seconds)
    ]


def main() -> int:
    """Play the night, and show what the channel holds in the end."""
    profile, clock = load_profile(), VirtualClock(_BEGIN.timestamp() + 300)
    calm = generate(seed=1, seconds=_SECONDS, level=_LEVEL)
    night = raised(calm, at=round((_JUMP - _BEGIN).total_seconds()), by=_DOLLARS)
    market = Market(rule=profile.window, seconds=night, begin_s=round(_BEGIN.timestamp()), clock=clock)
    with SlackServer(now=clock.now) as slack, tempfile.TemporaryDirectory() as folder:
        watch = _watch(profile, clock, market, slack, Path(folder))
        for _ in range(11):
            due_s = clock.now() + profile.alerts.execution_frequency_minutes * 60
            watch.once()
            clock.sleep(due_s - clock.now())
        for post in slack.posts:
            _say(f"\nmessage in #{profile.alerts.channel}, as it stands at the end:\n{post['text']}")
        for line in slack.lines:
            _say(f"\nline in its thread:\n{line['text']}")
        alerts, recoveries = len(slack.posts), len(slack.lines)
    _say(f"\n{alerts} alert, {recoveries} recovery")
    return 0 if (alerts, recoveries) == (1, 1) else 1


def _watch(profile: Profile, clock: Clock, market: Market, slack: SlackServer, folder: Path) -> Watch:
    return Watch(
        scene=Scene(
            profile=profile, clock=clock, connect=lambda _: Persistence(profile=profile), url="the demo", feed=market
        ),
        subject=Subject(target="price-api", variant="", row_keys=profile.alerts.notification_deduping_row_keys),
        desk=Desk(
            ledger_path=folder / "ledger.sqlite3",
            environ={"SLACK_BOT_TOKEN": "xoxb-test"},
            say=_say,
            settings=profile.alerts,
            clock=clock,
            budget=Budget(),
            base_url=slack.base_url,
        ),
        shelf=Shelf(folder, "price-api"),
        say=_say,
    )


def _exchange(method: str, path: str, body: dict[str, Any]) -> Exchange:
    answer = Answer(
        status=200, headers={"content-type": "application/json"}, body=json.dumps(body).encode(), elapsed_s=0.001
    )
    return Exchange(url="http://demo", request=Request(method=method, path=path), answer=answer)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a demo shows


if __name__ == "__main__":
    sys.exit(main())
