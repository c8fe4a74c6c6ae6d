"""The audit of a data set: everything is measured first, in passes over the files; then it is judged."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from harness.audit.data_blocks import make_blocks
from harness.audit.data_breaches import breach_findings
from harness.audit.data_field_findings import field_findings
from harness.audit.data_fields import measure_fields
from harness.audit.data_hour_findings import hour_findings
from harness.audit.data_hours import measure_hours
from harness.audit.data_learning_findings import learning_findings
from harness.audit.data_moves import measure_moves, measure_signal
from harness.audit.data_price_findings import price_findings
from harness.audit.data_range_findings import range_findings
from harness.audit.data_sample import measure_sample
from harness.audit.data_series import drawn
from harness.audit.data_steps import measure_steps
from harness.audit.data_stretches import make_stretches
from harness.audit.data_survey import survey
from harness.audit.data_table import opened
from harness.audit.data_time_findings import time_findings
from harness.audit.finding import Audit, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.audit.data_table import Table
    from harness.contract.profile import Profile

_RANK = {Severity.BLOCKS: 0, Severity.WARNS: 1, Severity.INFORMS: 2}
# Most passes keep one core busy, since rows follow each other: two go at a time.
_AT_ONCE = 2
_LOOK_S = 0.2


def audit_data(
    paths: Sequence[Path],
    profile: Profile,
    *,
    now_ns: int | None = None,
    price_now: float | None = None,
    show: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Audit files as one data set, in the order given; raise `DataUnreadable` where they are no table.

    `now_ns` is the moment to judge ages by (Unix time, nanoseconds; now by default), `price_now` today's price, and
    `show` takes what is going on.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    show("reading")
    with opened(paths, profile.window) as table:
        measured = _measured(table, profile, show)
        findings = sorted(_judged(table, measured, now_ns, price_now), key=lambda finding: _RANK[finding.severity])
        series = drawn(measured["steps"], measured["signal"], measured["hours"])
    name = ", ".join(str(path) for path in paths)
    return Audit(subject="data", name=name, findings=findings, untold=tuple(_untold(measured)), series=series)


def _measured(table: Table, profile: Profile, show: Callable[[str], None]) -> Mapping[str, Any]:
    """Measure all, the long passes over all rows first; the names are those of what is measured."""
    quiet, jump = profile.prediction.quiet_move, profile.prediction.jump_move
    show("looking at every row")
    looked = survey(table)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        passes: dict[str, Future[Any]] = {
            "moves": pool.submit(make_blocks, table, jump_move=jump, quiet_move=quiet),
            "steps": pool.submit(measure_steps, table),
            "signal": pool.submit(measure_signal, table),
        }
        first = _results(passes, show)
        make_stretches(table)
        looks: dict[str, Future[Any]] = {
            "fields": pool.submit(measure_fields, table, looked.extremes),
            "moves": pool.submit(measure_moves, table, jump_move=jump, quiet_move=quiet),
            "hours": pool.submit(measure_hours, table),
            "sample": pool.submit(measure_sample, table),
        }
        return {"rules": looked.breaches} | first | _results(looks, show)


def _results(running: Mapping[str, Future[Any]], show: Callable[[str], None]) -> dict[str, Any]:
    """Wait for all, showing what is left; raise what one of them raises."""
    left, began_s = set(running.values()), time.monotonic()
    while left:
        done, left = wait(left, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        names = ", ".join(name for name, future in running.items() if future in left)
        show(f"{time.monotonic() - began_s:.0f} s: {len(running) - len(left)} of {len(running)} done; still {names}")
    return {name: future.result() for name, future in running.items()}


def _judged(table: Table, measured: Mapping[str, Any], now_ns: int, price_now: float | None) -> Iterator[Finding]:
    steps, moves = measured["steps"], measured["moves"]
    yield from breach_findings(measured["rules"])
    yield from field_findings(measured["fields"], prices=frozenset(table.rule.prices))
    if steps.timed:
        yield from time_findings(steps, now_ns=now_ns)
    if moves is not None:
        yield from range_findings(moves, measured["signal"], steps, now_ns=now_ns, price_now=price_now)
        yield from price_findings(moves)
        yield from hour_findings(measured["hours"])
        yield from learning_findings(measured["signal"], steps, measured["sample"])


def _untold(measured: Mapping[str, Any]) -> Iterator[str]:
    if not measured["steps"].timed:
        yield "No row has a start that can be read: nothing is said of times, moves and hours."
    elif measured["moves"] is None:
        yield "No two rows with a close above 0 follow each other within a window: nothing is said of moves and hours."
