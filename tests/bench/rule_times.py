"""The data rules on files of records, in the audit's one pass: `python -m tests.bench.rule_times ROUNDS N FILE...`.

Prints how many rows of each file break each rule, and the seconds for the first N, round by round; each time a file is
read anew.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from harness.audit.data_survey import rules_alone
from harness.audit.data_table import opened
from harness.contract.profile import load_profile

RULE = load_profile().window


def bad_rows(path: Path) -> dict[str, int]:
    """Count the rows that break each rule by themselves, and the steps from row to row that are no second."""
    with opened([path], RULE) as table:
        found = rules_alone(table)
        counts = {way: count for ways in found.by_way.values() for way, count in ways.items()}
        counts |= {"ragged": table.ragged, "steps": table.order.steps - table.order.regular}
        return {way: count for way, count in counts.items() if count}


def main() -> None:
    """Judge all, then measure those that are to be measured in turn, and print."""
    rounds, measured, paths = int(sys.argv[1]), int(sys.argv[2]), [Path(argument) for argument in sys.argv[3:]]
    found = [bad_rows(path) for path in paths]
    took_s: list[list[float]] = []
    for _ in range(rounds):
        took_s.append([])
        for path in paths[:measured]:
            began_s = time.perf_counter()
            bad_rows(path)
            took_s[-1].append(time.perf_counter() - began_s)
    print(json.dumps({"bad": found, "took_s": took_s}))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
