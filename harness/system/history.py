"""A recorded series from a CSV file in the profile's layout, with silent seconds carried forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract.records import SECOND_NS, moment_ns
from harness.contract.series import Second

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.contract.profile import Role, WindowRule


class HistoryInvalid(ValueError):  # noqa: N818 - named by what happened
    """A recorded file cannot be read as a series; the message names the file, the row and the reason."""


def read_history(path: Path, rule: WindowRule) -> list[Second]:
    """Return one entry a period from the first recorded to the last; a period without a row repeats the last close."""
    import pandas as pd  # noqa: PLC0415 - a third of a second that only who replays a file should wait

    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(rule.of_kind("timestamp"), str))
    except (OSError, ValueError) as error:
        msg = f"history {path}: cannot be read as CSV: {error}"
        raise HistoryInvalid(msg) from error
    missing = [name for name in rule.fields if name not in table.columns]
    if missing:
        msg = f"history {path}: lacks the columns {', '.join(missing)} of the profile's window"
        raise HistoryInvalid(msg)
    if len(table) == 0:
        msg = f"history {path}: holds no rows"
        raise HistoryInvalid(msg)
    rows = table.to_dict("records")
    return list(_carried_forward(path, rule, [{str(name): value for name, value in row.items()} for row in rows]))


def _carried_forward(path: Path, rule: WindowRule, rows: list[dict[str, object]]) -> Iterator[Second]:
    period_ns = round(rule.period_s * SECOND_NS)
    expected_ns: int | None = None
    last: Second | None = None
    for number, row in enumerate(rows, start=2):
        start_ns = moment_ns(row[rule.named("start")])
        if start_ns is None or (expected_ns is not None and (start_ns - expected_ns) % period_ns):
            raise HistoryInvalid(_misplaced(path, number, rule, row))
        if expected_ns is not None and start_ns < expected_ns:
            raise HistoryInvalid(_misplaced(path, number, rule, row))
        if expected_ns is not None and last is not None:
            yield from [_silent(last)] * ((start_ns - expected_ns) // period_ns)
        last = _second(rule, row, start_ns=start_ns, period_ns=period_ns)
        expected_ns = start_ns + period_ns
        yield last


def _misplaced(path: Path, number: int, rule: WindowRule, row: Mapping[str, object]) -> str:
    found = row[rule.named("start")]
    return f"history {path}: line {number} starts at {found!r}, which is no later whole period: sort it, oldest first"


def _second(rule: WindowRule, row: Mapping[str, object], *, start_ns: int, period_ns: int) -> Second:
    close = float(str(row[rule.target]))

    def number(role: Role, default: float) -> float:
        name = rule.find(role)
        return default if name is None else float(str(row[name]))

    def offset(role: Role, default_ns: int) -> int:
        name = rule.find(role)
        moment = None if name is None else moment_ns(row[name])
        return default_ns if moment is None else min(max(moment - start_ns, 0), period_ns) * SECOND_NS // period_ns

    return Second(
        open=number("open", close),
        high=number("high", close),
        low=number("low", close),
        close=close,
        volume=number("volume", 1.0),
        count=int(number("count", 1)),
        first_event_ns=offset("first_event", 0),
        last_event_ns=offset("last_event", SECOND_NS),
        others={name: float(str(row[name])) for name, field in rule.fields.items() if field.role == "other"},
    )


def _silent(before: Second) -> Second:
    close = before.close
    return Second(
        open=close,
        high=close,
        low=close,
        close=close,
        volume=0.0,
        count=0,
        first_event_ns=0,
        last_event_ns=SECOND_NS,
        others=before.others,
    )
