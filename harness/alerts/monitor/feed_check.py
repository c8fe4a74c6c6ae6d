"""Is the data that the service is given fit for use: accurate, relevant, complete, timely, consistent? Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from harness.alerts.monitor.checks import FEED_RULES, PAST, SECOND
from harness.alerts.monitor.sight import Finding, Sight, found
from harness.contract.data_rules import broken_in_record, broken_together
from harness.contract.profile import ALERT_COLUMNS
from harness.contract.records import SECOND_NS, Window, moment_ns, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.contract.profile import Profile, WindowRule
    from harness.contract.records import Record

_SHOWN = 200
_FILLED_MAX = 600  # seconds: longer than any market is silent


def check_feed(profile: Profile, records: Sequence[Record], *, now_s: float) -> Sight:
    """Hold records against the data rules of the contract: each by itself, then all of them as a window."""
    by_rule: dict[str, list[Record]] = {}
    for record in records:
        for rule_id in sorted(broken_in_record(profile.window, record)):
            by_rule.setdefault(rule_id, []).append(record)
    findings = [
        finding for rule_id, wrong in by_rule.items() for finding in _of_records(profile, rule_id, wrong, len(records))
    ]
    of_all = broken_together(profile.window, Window(records=tuple(records)), now_s=now_s) - by_rule.keys() - {"D5"}
    if len(records) < profile.window.records:
        of_all.add("D5")
    findings += [
        Finding(check=FEED_RULES[rule_id], evidence=_of_all(profile.window, rule_id, records, now_s))
        for rule_id in sorted(of_all)
    ]
    return Sight(covered=tuple(FEED_RULES.values()), findings=tuple(findings))


def check_past(rule: WindowRule, before: Mapping[str, Record], records: Iterable[Record]) -> Sight:
    """Compare records with what the feed said earlier about the same seconds; nothing is said where none is shared."""
    start = rule.named("start")
    shared = [(before[key], record) for record in records if (key := str(record.get(start))) in before]
    if not shared:
        return Sight()
    changed = [(old, new) for old, new in shared if any(old.get(name) != new.get(name) for name in rule.fields)]
    if not changed:
        return found(PAST)
    old, new = changed[0]
    names = [name for name in rule.fields if old.get(name) != new.get(name)]
    what = ", ".join(f"{name} {old.get(name)!r} became {new.get(name)!r}" for name in names)
    return found(PAST, f"{len(changed)} of {len(shared)} seconds changed, the first {new.get(start)}: {what}"[:_SHOWN])


def check_second(profile: Profile, records: Iterable[Record], others: Iterable[Record]) -> Sight:
    """Compare the closes of two sources, second by second; nothing is said where they share none."""
    ours, theirs = closes(profile.window, records), closes(profile.window, others)
    shared = sorted(ours.keys() & theirs.keys())
    if not shared:
        return Sight(doubts=("the second source shares no second with the feed",))
    limit = profile.monitor.source_tolerance
    apart = [at for at in shared if abs(ours[at] - theirs[at]) > limit * theirs[at]]
    if not apart:
        return found(SECOND)
    at = apart[0]
    return found(
        SECOND,
        f"{len(apart)} of {len(shared)} closes lie more than {limit:.2%} apart, the first at "
        f"{timestamp(at * SECOND_NS)}: {ours[at]:g} here, {theirs[at]:g} there",
    )


def closes(rule: WindowRule, records: Iterable[Mapping[str, object]]) -> dict[int, float]:
    """Return the closes that can be read, by the second at which each period ended."""
    end, close = rule.named("end"), rule.target
    readable = {}
    for record in records:
        at_ns, price = moment_ns(record.get(end)), record.get(close)
        if at_ns is not None and isinstance(price, (int, float)) and not isinstance(price, bool) and price > 0:
            readable[at_ns // SECOND_NS] = float(price)
    return readable


def carried_forward(rule: WindowRule, records: Sequence[Record]) -> list[Record]:
    """Fill the seconds that a feed leaves out because nobody traded, as the contract writes them."""
    start, end = rule.named("start"), rule.named("end")
    period_ns = round(rule.period_s * SECOND_NS)
    filled = list(records[:1])
    for before, after in pairwise(records):
        begin_ns, next_ns = moment_ns(before.get(end)), moment_ns(after.get(start))
        missing = 0 if begin_ns is None or next_ns is None else (next_ns - begin_ns) // period_ns
        if 0 < missing <= _FILLED_MAX and begin_ns is not None:
            filled += [_silent(rule, before, begin_ns + place * period_ns, period_ns) for place in range(missing)]
        filled.append(after)
    return filled


def _silent(rule: WindowRule, before: Record, begin_ns: int, period_ns: int) -> Record:
    close = before.get(rule.target)
    by_role: dict[str, object] = {
        "start": timestamp(begin_ns),
        "first_event": timestamp(begin_ns),
        "end": timestamp(begin_ns + period_ns),
        "last_event": timestamp(begin_ns + period_ns),
        "volume": 0,
        "count": 0,
    }
    carried = {name: before.get(name) if field.role == "other" else close for name, field in rule.fields.items()}
    return {name: by_role.get(field.role, carried[name]) for name, field in rule.fields.items()}


def _of_records(profile: Profile, rule_id: str, wrong: Sequence[Record], count: int) -> list[Finding]:
    """Make one finding of all records that break a rule, or one of each where the row keys tell them apart."""
    columns = [name for name in profile.alerts.notification_deduping_row_keys if name not in ALERT_COLUMNS]
    by_row: dict[tuple[tuple[str, str], ...], list[Record]] = {}
    for record in wrong:
        row = tuple((name, _named(record[name])) for name in columns if name in record)
        by_row.setdefault(row if len(row) == len(columns) else (), []).append(record)
    return [
        Finding(
            check=FEED_RULES[rule_id],
            evidence=f"{len(found)} of {count} records, the first {found[0]!r}"[:_SHOWN],
            row=dict(row),
        )
        for row, found in by_row.items()
    ]


def _named(value: object) -> str:
    """Write what identifies a record so that CSV and JSON agree: 7, 7.0 and "7" are one."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _of_all(rule: WindowRule, rule_id: str, records: Sequence[Record], now_s: float) -> str:
    ends_ns = [at for record in records if (at := moment_ns(record.get(rule.named("end")))) is not None]
    span = f"{len(records)} records"
    if ends_ns:
        age_s = now_s - max(ends_ns) / SECOND_NS
        span += f", {timestamp(min(ends_ns))} to {timestamp(max(ends_ns))}, the newest {age_s:.0f} s old"
    gap = next(((a, b) for a, b in pairwise(ends_ns) if b - a != round(rule.period_s * SECOND_NS)), None)
    if rule_id in ("D6", "D7") and gap is not None:
        span += f"; {timestamp(gap[0])} is followed by {timestamp(gap[1])}"
    return span
