"""The README's table of measurements: what each row measured last, and how."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.peers import CACHE
from tests.bench.row import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.row import Row

README = Path(__file__).resolve().parents[2] / "README.md"
RESULTS = CACHE / "results"
_BEGIN, _END = "<!-- bench: begin -->\n", "<!-- bench: end -->"
_HEAD = ("measured", "here", "beside it", "ratio: median (least to most)", "goal", "kept")


def keep(row: Row, lines: Sequence[Line]) -> None:
    """Keep what a row measured until it is measured again."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{row.name}.json").write_text(json.dumps([dataclasses.asdict(line) for line in lines], indent=2))


def table(rows: Sequence[Row]) -> str:
    """Return the table and how each row was measured, as Markdown."""
    measured = [row for row in rows if (RESULTS / f"{row.name}.json").is_file()]
    lines = [Line(**line) for row in measured for line in json.loads((RESULTS / f"{row.name}.json").read_text())]
    sheet = [_HEAD, ("---",) * len(_HEAD), *(line.cells() for line in lines)]
    how = [f"- *{row.name}*: {row.how}." for row in measured]
    machine = f"{os.cpu_count()} cores ({_processor()}), {_distribution()}"
    told = f"Each row side by side in one run, on {machine}:"
    return "\n".join([told, "", *(f"| {' | '.join(cells)} |" for cells in sheet), "", *how]) + "\n"


def write(rows: Sequence[Row]) -> None:
    """Write the table into the README."""
    text = README.read_text(encoding="utf-8")
    README.write_text(
        re.sub(f"(?s){_BEGIN}.*?{_END}", lambda _: f"{_BEGIN}{table(rows)}{_END}", text), encoding="utf-8"
    )


def _processor() -> str:
    names = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), flags=re.MULTILINE)
    return names[0] if names else platform.machine()


def _distribution() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
