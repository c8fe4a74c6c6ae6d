"""The data rules on a file of records, by the audit's passes: `python -m tests.bench.rule_times ROUNDS FILE BROKEN...`.

Prints whether each file holds, and the seconds for the first one, round by round; each time it is read anew.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from harness.audit.data_breaches import measure_breaches
from harness.audit.data_extremes import measure_extremes
from harness.audit.data_table import opened
from harness.contract.profile import load_profile

RULE = load_profile().window


def holds(path: Path) -> bool:
    """Whether every row keeps the rules by itself, and the rows follow each other second by second."""
    with opened([path], RULE) as table:
        broken = measure_breaches(table, measure_extremes(table)).by_rule
        return not broken and not table.ragged and table.order.is_regular


def main() -> None:
    """Judge all, then measure the first, and print."""
    rounds, paths = int(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]]
    found, took_s = [holds(path) for path in paths], []
    for _ in range(rounds):
        began_s = time.perf_counter()
        holds(paths[0])
        took_s.append(time.perf_counter() - began_s)
    print(json.dumps({"holds": found, "took_s": took_s}))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
