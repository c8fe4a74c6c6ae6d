"""What is found about the times of a data set: whether it is a series of seconds, whole, in order, and each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.audit.data_steps import moment
from harness.audit.finding import Finding, Severity
from harness.contract.records import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.audit.data_steps import Steps
    from harness.audit.finding import Number

# A window that lasts this many times what its name says is no window of seconds.
_STRETCHED = 1.5
_MOST_LONG_STEPS = 0.5
# So large a share of rows that repeat or overlap is no accident, and weighs in whatever is trained.
_MOST_FAULTY = 0.001
_LONG_GAP_S = 3600.0
# Fewer than this, and a validation set of a tenth of them has no hundred.
_FEW_WINDOWS = 1_000
_OLD_DAYS = 90.0
_DAY_S = 86_400.0


def time_findings(steps: Steps, *, now_ns: int) -> Iterator[Finding]:
    """Yield what the steps between rows say, at a moment (Unix time, nanoseconds)."""
    yield _span(steps, now_ns)
    yield from _order(steps)
    yield from _repeated(steps)
    yield from _gaps(steps)
    yield from _outage(steps)
    yield from _windows(steps)
    yield from _clock(steps, now_ns)


def _span(steps: Steps, now_ns: int) -> Finding:
    age_days = (now_ns - steps.last_ns) / SECOND_NS / _DAY_S
    numbers: dict[str, Number] = {
        "rows": steps.rows,
        "first": moment(steps.first_ns),
        "last": moment(steps.last_ns),
        "span_s": steps.span_s,
        "periods_present_share": steps.present_share,
        "age_days": age_days,
    }
    return Finding(
        id="span.covers",
        severity=Severity.WARNS if age_days > _OLD_DAYS else Severity.INFORMS,
        says=f"{steps.rows:,} rows from {moment(steps.first_ns)} to {moment(steps.last_ns)} UTC, {said(steps.span_s)}; "
        f"{steps.present_share:.2%} of its {_periods(steps)} have a row; the newest is {age_days:,.0f} days old.",
        advice="Train on what ends near the day of release." if age_days > _OLD_DAYS else "Nothing to do.",
        numbers=numbers,
    )


def _order(steps: Steps) -> Iterator[Finding]:
    order = steps.order
    if order.back and order.back > order.on:
        yield Finding(
            id="order.newest_first",
            severity=Severity.BLOCKS,
            says=f"The rows stand newest first: {order.back:,} of {order.steps:,} steps lead back in time, so a window "
            "made of rows as they stand has its lags reversed, and the record to be predicted before its features.",
            advice="Sort by the start, oldest first, before windows are made.",
            numbers={"steps_back": order.back, "steps": order.steps},
        )
    elif order.back:
        yield Finding(
            id="order.broken",
            severity=Severity.BLOCKS,
            says=f"{order.back:,} of {order.steps:,} steps between rows lead back in time: windows made of rows as "
            "they stand mix what was with what came later. All else here was measured on the rows in order.",
            advice="Sort by the start, oldest first, and find out what mixed them up.",
            numbers={"steps_back": order.back, "steps": order.steps},
        )


def _repeated(steps: Steps) -> Iterator[Finding]:
    if steps.repeated:
        share = steps.repeated / steps.timed
        yield Finding(
            id="rows.repeated",
            severity=Severity.BLOCKS if share > _MOST_FAULTY else Severity.WARNS,
            says=f"{steps.repeated:,} rows ({share:.2%}) begin at the same moment as another one.",
            advice="Keep one row for each start; where they differ, ask the vendor which of them holds.",
            numbers={"rows_repeated": steps.repeated, "share": share},
        )
    if steps.overlapping:
        share = steps.overlapping / steps.timed
        yield Finding(
            id="rows.overlap",
            severity=Severity.BLOCKS if share > _MOST_FAULTY else Severity.WARNS,
            says=f"{steps.overlapping:,} rows ({share:.2%}) begin before the row ahead of them has ended: what one "
            "says of its time, the next one knows in part.",
            advice=f"Cut the series into periods of {steps.period_s:g} s that do not overlap.",
            numbers={"rows_overlapping": steps.overlapping, "share": share},
        )


def _gaps(steps: Steps) -> Iterator[Finding]:
    stretched = steps.window_s(0.5) / (steps.window_rows * steps.period_s) if steps.spans else 1.0
    numbers = {
        "steps": sum(steps.steps.values()),
        "longer_share": steps.long_step_share,
        "step_p50_s": steps.step_s(0.5),
        "step_p95_s": steps.step_s(0.95),
        "step_p99_s": steps.step_s(0.99),
        "step_longest_s": steps.longest_s,
        "window_rows": steps.window_rows,
        "window_p50_s": steps.window_s(0.5),
        "window_p95_s": steps.window_s(0.95),
    }
    if stretched >= _STRETCHED or steps.long_step_share > _MOST_LONG_STEPS:
        yield Finding(
            id="gaps.rows_are_no_seconds",
            severity=Severity.BLOCKS,
            says=f"{steps.window_rows} rows are not {said(steps.window_rows * steps.period_s)}: half of all windows of "
            f"so many rows span more than {said(steps.window_s(0.5))}, 5 % more than {said(steps.window_s(0.95))}; "
            f"{steps.long_step_share:.1%} of the steps are longer than {steps.period_s:g} s.",
            advice="Carry each silent period forward (all prices the last close, no volume) before windows are made.",
            numbers=numbers,
        )
    elif steps.long_step_share:
        yield Finding(
            id="gaps.some",
            severity=Severity.WARNS,
            says=f"{steps.long_step_share:.2%} of the steps are longer than {steps.period_s:g} s, the longest is "
            f"{said(steps.longest_s)}; {steps.window_rows} rows span {said(steps.window_s(0.5))} in the median, "
            f"{said(steps.window_s(0.95))} at the 95th percentile.",
            advice="Carry silent periods forward, and make no window across a gap that was an outage.",
            numbers=numbers,
        )


def _outage(steps: Steps) -> Iterator[Finding]:
    if steps.longest_s > _LONG_GAP_S:
        share = steps.longest_s / steps.span_s
        yield Finding(
            id="gaps.outage",
            severity=Severity.WARNS,
            says=f"The longest gap is {said(steps.longest_s)}, {share:.1%} of the span.",
            advice="Treat the parts before and after it as two series; do not carry an outage forward.",
            numbers={"longest_s": steps.longest_s, "share": share},
        )


def _windows(steps: Steps) -> Iterator[Finding]:
    whole, rows = steps.windows_with_target, steps.window_rows
    enough = whole >= _FEW_WINDOWS
    yield Finding(
        id="windows.whole" if enough else "windows.few",
        severity=Severity.INFORMS if enough else Severity.BLOCKS,
        says=f"{whole:,} windows are {rows} rows without a gap and have the row that follows, to be predicted.",
        advice="Nothing to do." if enough else "Carry silent periods forward, or record for longer.",
        numbers={"windows": whole, "windows_without_target": steps.whole_windows, "window_rows": rows},
    )


def _clock(steps: Steps, now_ns: int) -> Iterator[Finding]:
    ahead_s = (steps.last_ns - now_ns) / SECOND_NS
    if ahead_s > 0:
        yield Finding(
            id="clock.in_the_future",
            severity=Severity.BLOCKS,
            says=f"The newest row begins {said(ahead_s)} from now: a clock, a time zone or a unit is wrong.",
            advice="Find out which clock wrote the times, and write them in UTC.",
            numbers={"ahead_s": ahead_s},
        )
    if steps.off_grid:
        share = steps.off_grid / max(sum(steps.steps.values()), 1)
        yield Finding(
            id="clock.off_grid",
            severity=Severity.BLOCKS if share > _MOST_FAULTY else Severity.WARNS,
            says=f"{steps.off_grid:,} steps ({share:.2%}) are no whole number of periods of {steps.period_s:g} s.",
            advice="Cut the series anew, each period beginning at a multiple of its length.",
            numbers={"steps_off_grid": steps.off_grid, "share": share},
        )


def _periods(steps: Steps) -> str:
    return "seconds" if steps.period_s == 1 else f"periods of {steps.period_s:g} s"


def said(seconds: float) -> str:
    """Write a time in the unit that suits it."""
    for size_s, unit in ((_DAY_S, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size_s:
            return f"{seconds / size_s:,.3g} {unit}"
    return f"{seconds:,.3g} s"
