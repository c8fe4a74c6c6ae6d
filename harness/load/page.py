"""Locust's web page with our open loop behind it, on the loopback address, for an engineer who steers by hand."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.load.locust_process import LocustProcess, locust
from harness.load.plan import PLAN_FILE
from harness.load.run import MeasurementFailed
from harness.load.stretches import ROWS_FILE, Row
from harness.system.waiting import WaitedInVain, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.load.plan import Plan

LOOPBACK = "127.0.0.1"
_LOCUSTFILE = Path(__file__).parent / "page_locustfile.py"
_START_BUDGET_S = 30.0
# The ramp that the page proposes: a new rate is there within a second or two.
_RAMP_PER_S = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that answers; `rows` are there when its process has ended."""

    url: str
    process: LocustProcess
    folder: Path

    def rows(self) -> list[Row]:
        """Return the exact figures of each rate of the last run, the newest first."""
        path = self.folder / ROWS_FILE
        return [Row(**row) for row in json.loads(path.read_text())] if path.exists() else []


@contextmanager
def page(plan: Plan, folder: Path, *, port: int) -> Iterator[Page]:
    """Serve the page as long as the context lasts; nothing is sent until somebody starts it there.

    Raises `MeasurementFailed` where the page does not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ROWS_FILE).unlink(missing_ok=True)
    (folder / PLAN_FILE).write_text(plan.to_json())
    url, users = f"http://{LOOPBACK}:{port}", f"{max(1, round(plan.rate_per_s))}"
    options = ["--web-host", LOOPBACK, "--web-port", f"{port}", "--host", plan.url]
    with locust(
        folder, [*options, "--users", users, "--spawn-rate", f"{_RAMP_PER_S}"], locustfile=_LOCUSTFILE
    ) as running:
        _see_up(running, url)
        yield Page(url=url, process=running, folder=folder)


def _see_up(running: LocustProcess, url: str) -> None:
    def look() -> bool | None:
        if running.process.poll() is not None:
            msg = f"the page ended at its start; its last output:\n{running.last_output()}"
            raise MeasurementFailed(msg)
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - a page of our own, on the loopback address
        except (urllib.error.URLError, OSError):
            return None
        return True

    try:
        wait_for(look, subject=f"the page {url}", budget_s=_START_BUDGET_S)
    except WaitedInVain as error:
        raise MeasurementFailed(str(error)) from error
