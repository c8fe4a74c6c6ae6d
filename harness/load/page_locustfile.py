"""Locust's side of `harness load --ui`: one user is one request a second, and a tab shows our exact figures."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import gevent
from flask import Response, request
from locust import User, constant, events, task

from harness.load.crew import come_first
from harness.load.open_loop import OpenLoop
from harness.load.orphan import end_with_parent
from harness.load.plan import FOLDER_VARIABLE, PLAN_FILE, Plan, read_plan
from harness.load.steering import Steering
from harness.load.stretches import ROWS_FILE, Row, Stretches, as_table
from harness.load.telling import telling

_KEY = "exact"
_FOREVER_S = 1e9
_TITLES = {
    "rate": "Rate asked, 1/s",
    "offered": "Sent, 1/s",
    "served": "Served, 1/s",
    "seconds": "Measured, s",
    "requests": "Requests",
    "late": "Over budget",
    "share": "Share over",
    "at_most": "At most, 95 % sure",
    "p50": "p50, ms",
    "p99": "p99, ms",
    "p999": "p99.9, ms",
    "longest": "Longest, ms",
    "others": "Not 200",
    "lag": "Generator's lag p99, ms",
    "verdict": "Verdict",
}

end_with_parent()
_BANNER = """<p style="margin:0;padding:8px 16px;font:15px/1.4 sans-serif;background:#14532d;color:#fff">
<b>One user is one request a second</b>, sent when it is due whatever became of those before it (open loop); the ramp-up
is how many requests a second are added each second. <b>Edit</b> changes the rate at once. Latency counts from the due
moment; exact figures, and what they prove, stand under the tab <b>Exact</b>.</p>"""


class RequestASecond(User):
    """Does nothing itself: how many there are is the rate."""

    wait_time = constant(0)

    @task
    def stand(self) -> None:
        """Stand for one request a second."""
        gevent.sleep(_FOREVER_S)


@dataclass(slots=True)
class Page:
    """The run behind the page: begins and ends when the engineer says so."""

    environment: Any
    plan: Plan
    folder: Path
    stretches: Stretches
    turn: int = 0

    def start(self, **_: object) -> None:
        """Send at the rate that the page says, from now on."""
        come_first()
        self.turn += 1
        turn, self.stretches = self.turn, Stretches(self.plan.profile)
        steering = Steering(
            law=self.plan.profile.load.arrivals,
            seed=self.plan.seed,
            rate_per_s=lambda: self.environment.runner.user_count,
            is_over=lambda: self.turn != turn,
            changed=self.stretches.begin,
        )
        plan = replace(self.plan, url=(self.environment.host or self.plan.url).rstrip("/"))
        loop = OpenLoop(plan, steering, telling(self.environment), self.stretches.take)
        gevent.spawn(loop.run)

    def stop(self, **_: object) -> None:
        """Send no more; what is open is still waited for."""
        self.turn += 1
        self.write()

    def write(self, **_: object) -> None:
        """Leave the figures where the command finds them; rates that were only passed have none."""
        rows = [asdict(row) for row in self.stretches.rows() if row.requests]
        (self.folder / ROWS_FILE).write_text(json.dumps(rows))

    def extend(self, response: Response) -> Response:
        """Add our figures to what Locust's page asks for every two seconds, and our banner to the page."""
        if request.path == "/stats/requests" and response.is_json:
            table = {"key": _KEY, "data": as_table(self.stretches.rows())}
            response.set_data(json.dumps({**response.get_json(), "extended_stats": [table]}))
        if request.path == "/" and response.mimetype == "text/html":
            response.set_data(response.get_data(as_text=True).replace('<div id="root">', _BANNER + '<div id="root">'))
        return response

    def as_csv(self) -> Response:
        """Answer with our figures as CSV, units as in the table's titles."""
        sheet = io.StringIO()
        writer = csv.DictWriter(sheet, [spec.name for spec in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in self.stretches.rows())
        headers = {"Content-Disposition": "attachment;filename=exact.csv"}
        return Response(sheet.getvalue(), mimetype="text/csv", headers=headers)


@events.init.add_listener  # type: ignore[untyped-decorator]  # Locust ships no types
def on_init(environment: Any, web_ui: Any, **_: object) -> None:  # noqa: ANN401 - likewise
    """Hang our tab into Locust's page, and our loop into its start and stop."""
    folder = Path(os.environ[FOLDER_VARIABLE])
    plan = replace(read_plan((folder / PLAN_FILE).read_text()), duration_s=_FOREVER_S)
    page = Page(environment, plan, folder, Stretches(plan.profile))
    environment.events.test_start.add_listener(page.start)
    environment.events.test_stop.add_listener(page.stop)
    environment.events.quitting.add_listener(page.write)
    structure = [{"key": name, "title": title} for name, title in _TITLES.items()]
    web_ui.template_args = {
        "extended_tabs": [{"title": "Exact", "key": _KEY}],
        "extended_tables": [{"key": _KEY, "structure": structure}],
        "extended_csv_files": [{"href": "./exact/csv", "title": "Download exact figures of each rate CSV"}],
    }
    web_ui.app.after_request(page.extend)
    web_ui.app.add_url_rule("/exact/csv", "exact_csv", page.as_csv)
