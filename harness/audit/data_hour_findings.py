"""What is found when the hours of a data set are held beside each other: regimes, where volume lies, digits."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import TYPE_CHECKING

from harness.audit.data_blocks import HOUR_S
from harness.audit.data_hours import MOST_DIGITS
from harness.audit.data_steps import moment
from harness.audit.finding import Finding, Severity
from harness.audit.weighted import quantile
from harness.contract.records import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.audit.data_hours import Hour, Hours

# An hour with fewer moves than this has no volatility to speak of.
_LEAST_MOVES = 30
_LEAST_HOURS = 5
# Hours whose volatility differs by less than this between the calm and the hectic tenth are of one kind.
_ONE_REGIME = 1.5
_BUSY_SHARE, _CONCENTRATED = 0.1, 0.5


def hour_findings(hours: Hours) -> Iterator[Finding]:
    """Yield what the hours say."""
    lively = [hour for hour in hours.hours if hour.moves >= _LEAST_MOVES]
    if len(lively) >= _LEAST_HOURS:
        yield _volatility(lively)
        yield from _volume(lively)
    yield from _digits(hours)


def _volatility(hours: list[Hour]) -> Finding:
    ordered = sorted(hour.volatility for hour in hours)
    calm, hectic = ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10]
    ratio = hectic / calm if calm else float("inf")
    is_one = ratio < _ONE_REGIME
    worst = max(hours, key=lambda hour: hour.volatility)
    return Finding(
        id="volatility.one_regime" if is_one else "volatility.by_hour",
        severity=Severity.WARNS if is_one else Severity.INFORMS,
        says=f"Over {len(hours)} hours a move's standard deviation is {statistics.median(ordered) * 1e4:.3g} bp in the "
        f"median; the hectic tenth has {ratio:.3g} times that of the calm tenth; the most hectic hour began "
        f"{moment(worst.number * HOUR_S * SECOND_NS)}" + (": all of it is one regime." if is_one else "."),
        advice="Record calm and hectic times."
        if is_one
        else "Report a model's error by volatility, not only over all.",
        numbers={
            "hours": len(hours),
            "median": statistics.median(ordered),
            "calm_tenth": calm,
            "hectic_tenth": hectic,
            "ratio": ratio if calm else None,
            "most": worst.volatility,
        },
    )


def _volume(hours: list[Hour]) -> Iterator[Finding]:
    volumes = sorted((hour.volume for hour in hours), reverse=True)
    total, busy = sum(volumes), max(round(len(volumes) * _BUSY_SHARE), 1)
    if total <= 0:
        return
    share, fair = sum(volumes[:busy]) / total, busy / len(volumes)
    is_concentrated = share > _CONCENTRATED and share > 2 * fair
    yield Finding(
        id="volume.concentrated" if is_concentrated else "volume.by_hour",
        severity=Severity.WARNS if is_concentrated else Severity.INFORMS,
        says=f"The busiest {busy} of {len(volumes)} hours hold {share:.1%} of the volume.",
        advice="Check these hours for a change of unit or a double count." if is_concentrated else "Nothing to do.",
        numbers={"hours": len(volumes), "busiest_hours": busy, "share": share},
    )


def _digits(hours: Hours) -> Iterator[Finding]:
    counts: Counter[int] = Counter()
    by_hour: dict[int, Counter[int]] = {}
    for hour, digits, rows in hours.digits:
        counts[digits] += rows
        by_hour.setdefault(hour, Counter())[digits] += rows
    if not counts:
        return
    most = {hour: quantile(found, 0.99) for hour, found in sorted(by_hour.items()) if found.total() >= _LEAST_MOVES}
    kinds = sorted(set(most.values()))
    # A price that happens to end in 0 needs a digit less, and in a calm hour all of them may.
    if kinds and kinds[-1] - kinds[0] > 1:
        yield _changed_digits(most)
    else:
        yield _usual_digits(counts)


def _changed_digits(most: Mapping[int, int]) -> Finding:
    kinds = sorted(set(most.values()))
    changed = next(hour for hour in most if most[hour] != next(iter(most.values())))
    return Finding(
        id="precision.changes",
        severity=Severity.WARNS,
        says=f"Closes are written with up to {kinds[0]} digits after the point in some hours and {kinds[-1]} in "
        f"others; first seen to change at {moment(changed * HOUR_S * SECOND_NS)}.",
        advice="Ask the vendor what changed; round all to the coarser one, or keep what is before and after apart.",
        numbers={"digits_least": kinds[0], "digits_most": kinds[-1]},
    )


def _usual_digits(counts: Counter[int]) -> Finding:
    noisy = counts[MOST_DIGITS + 1] / counts.total()
    if noisy > _BUSY_SHARE:
        return Finding(
            id="precision.unrounded",
            severity=Severity.WARNS,
            says=f"{noisy:.1%} of the closes have more than {MOST_DIGITS} digits: no prices of trades, but computed.",
            advice="Find out what made them (a mean, a conversion, an interpolation), and get the trades' own prices.",
            numbers={"share": noisy},
        )
    return Finding(
        id="precision.digits",
        severity=Severity.INFORMS,
        says=f"Closes have up to {quantile(counts, 0.99)} digits after the point, throughout.",
        advice="Nothing to do.",
        numbers={"digits": quantile(counts, 0.99), "rows_looked_at": counts.total()},
    )
