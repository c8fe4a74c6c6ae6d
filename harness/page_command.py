"""`harness load --ui`: Locust's page over our open loop, as long as the engineer wants."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.load.page import page
from harness.load.stretches import as_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.load.stretches import Row
    from harness.load_setting import Setting


def run_page(setting: Setting) -> int:
    """Serve the page until Ctrl-C, then say what was measured at each rate; there is no verdict on the whole."""
    chosen = setting.asked.chosen
    plan, folder = setting.plan(duration_s=chosen.duration), (chosen.report_dir / "load").resolve()
    with page(plan, folder, port=chosen.port) as served:
        setting.say(f"{served.url} steers the load on {plan.url}: one user is one request a second; Ctrl-C ends it")
        try:
            served.process.process.wait()
        except KeyboardInterrupt:
            setting.say("")
    rows = served.rows()
    if chosen.format == "json":
        print(json.dumps({"schema": 1, "rates": [asdict(row) for row in rows]}, indent=2))  # noqa: T201 - its output
    setting.say(_told(rows))
    return 0


def _told(rows: Sequence[Row]) -> str:
    if not rows:
        return "nothing was sent"
    table = [{name: str(value) for name, value in row.items()} for row in as_table(rows)]
    widths = {name: max(len(name), *(len(row[name]) for row in table)) for name in table[0]}
    lines = [{name: name for name in widths}, *table]
    return "\n".join("  ".join(line[name].ljust(width) for name, width in widths.items()).rstrip() for line in lines)
