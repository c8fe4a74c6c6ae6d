"""Writes the README's table of rules: how many checks speak for each, and which seeded defects it catches.

`python -m tests.detection.rules_table` writes it anew; a unit test says when that is due.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

from harness.contract.rules import RULES
from tests.detection.layers import ROOT, read_defects
from tests.detection.rule_counter import MARK

README = ROOT / "README.md"
_BEGIN, _END = "<!-- rules: begin -->\n", "<!-- rules: end -->"
_SUITES = ("tests/contract", "tests/data_quality", "tests/chaos", "tests/load")


def count_checks() -> dict[str, int]:
    """Collect the four suites and count the checks that speak for each rule."""
    options = [
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.detection.rule_counter",
        "--sut-alerts=off",
    ]
    command = [sys.executable, "-m", "pytest", *options, *_SUITES]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    line = next(line for line in ended.stdout.splitlines() if line.startswith(MARK))
    counts: dict[str, int] = json.loads(line.removeprefix(MARK))
    return counts


def table() -> str:
    """Return the table as Markdown."""
    checks, defects = count_checks(), read_defects()
    lines = ["| rule | checks | seeded defects that it catches |", "|---|---|---|"]
    for rule_id in RULES:
        caught = sorted(f"`{defect.name}`" for defect in defects if rule_id in defect.rules)
        lines.append(f"| {rule_id} | {checks.get(rule_id, 0)} | {', '.join(caught)} |")
    return "\n".join(lines) + "\n"


def in_readme() -> str:
    """Return the table as the README has it."""
    text = README.read_text(encoding="utf-8")
    return text[text.index(_BEGIN) + len(_BEGIN) : text.index(_END)]


def main() -> None:
    """Write the table into the README."""
    text = README.read_text(encoding="utf-8")
    README.write_text(re.sub(f"(?s){_BEGIN}.*?{_END}", lambda _: f"{_BEGIN}{table()}{_END}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
