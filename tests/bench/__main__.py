"""`python -m tests.bench [ROW ...]`: measure side by side, in one run on one machine, and write the README's table."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.bench import audit, cold_start, endpoint, gate, generation, serving, table, validation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.row import Row

ROWS: tuple[Row, ...] = (serving.ROW, endpoint.ROW, cold_start.ROW, validation.ROW, generation.ROW, audit.ROW, gate.ROW)
_WRONG_USAGE = 4


def main(names: Sequence[str]) -> int:
    """Measure the named rows, or all; a row that fails leaves what the table has of it."""
    known = {row.name: row for row in ROWS}
    if unknown := [name for name in names if name not in known]:
        _say(f"unknown row {unknown[0]!r}: the rows are {', '.join(known)}")
        return _WRONG_USAGE
    for row in [known[name] for name in names] or ROWS:
        _say(f"{row.name}: {row.how}")
        began_s = time.monotonic()
        with within(row.budget_s):
            lines = row.run()
        for line in lines:
            _say("  " + " | ".join(cell for cell in line.cells() if cell))
        _say(f"  in {time.monotonic() - began_s:.0f} s")
        table.keep(row, lines)
        table.write(ROWS)
    return 0


@contextmanager
def within(budget_s: int) -> Iterator[None]:
    """Raise TimeoutError in this thread after so many seconds: its containers are removed on the way out."""

    def stop(*_: object) -> None:
        msg = f"not measured within {budget_s} s"
        raise TimeoutError(msg)

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(budget_s)
    try:
        yield
    finally:
        signal.alarm(0)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - printing is what a command does


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
