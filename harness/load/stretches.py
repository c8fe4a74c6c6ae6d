"""Exact figures of a load that is steered: a stretch for each rate, from where it was reached to where it was left."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from harness.contract.judge import OK
from harness.contract.verdict import Verdict
from harness.load.figures import is_served, kind_of
from harness.load.plan import Limits
from harness.load.share import Share, percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.load.record import Attempt
    from harness.load.sheet import Batch

# Where the page's process leaves its rows when it ends.
ROWS_FILE = "rates.json"
_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a stretch came to; rates a second, times in milliseconds, shares as fractions of 1; None: nothing yet."""

    rate: float
    seconds: float
    offered: float
    served: float
    requests: int
    late: int
    share: float
    at_most: float
    p50: float | None
    p99: float | None
    p999: float | None
    longest: float | None
    others: str
    lag: float | None
    verdict: str


@dataclass(slots=True, kw_only=True)
class Stretch:
    """One rate; what was due before `counts_from_s`, or when it was left, does not count."""

    rate_per_s: float
    counts_from_s: float
    left_s: float = math.inf
    _ordered: list[float] = field(default_factory=list)
    _lags: list[float] = field(default_factory=list)
    _outcomes: Counter[str] = field(default_factory=Counter)
    _served: int = 0
    _sent: int = 0
    _late: int = 0

    def count(self, attempt: Attempt, budget_s: float) -> None:
        """Count a request that was due in the stretch."""
        self._sent += 1
        self._served += is_served(attempt)
        if attempt.started_s is not None:
            self._lags.append(attempt.started_s - attempt.due_s)
        if attempt.kind == "broken":
            return
        self._outcomes[kind_of(attempt)] += 1
        self._late += attempt.status != OK or attempt.latency_s > budget_s
        if attempt.status == OK:
            self._ordered.append(attempt.latency_s)

    def row(self, until_s: float, limit: float) -> Row:
        """Return its figures, exact, as of a moment."""
        # Both were sorted before, but for the newest: that is fast, and nothing may hold up what is due.
        self._ordered.sort()
        self._lags.sort()
        seconds = max(min(self.left_s, until_s) - self.counts_from_s, 0.0)
        over = Share(hits=self._late, of=self._outcomes.total())
        lag_s = percentile(self._lags, 0.99)
        others = [f"{count} {kind}" for kind, count in sorted(self._outcomes.items()) if kind != f"status {OK}"]
        return Row(
            rate=self.rate_per_s,
            seconds=seconds,
            offered=self._sent / seconds if seconds else 0.0,
            served=self._served / seconds if seconds else 0.0,
            requests=over.of,
            late=over.hits,
            share=over.observed,
            at_most=over.upper,
            p50=_ms(percentile(self._ordered, 0.5)),
            p99=_ms(percentile(self._ordered, 0.99)),
            p999=_ms(percentile(self._ordered, 0.999)),
            longest=_ms(percentile(self._ordered, 1.0)),
            others=", ".join(others) or "none",
            lag=_ms(lag_s),
            verdict=_verdict(over, limit, lag_s),
        )


@dataclass(slots=True)
class Stretches:
    """All stretches of a run, as batches come in."""

    profile: Profile
    _all: list[Stretch] = field(default_factory=list)
    _until_s: float = 0.0

    def begin(self, since_s: float, rate_per_s: float) -> None:
        """Begin a stretch; the one before is forgotten where it was left before anything counted."""
        if self._all:
            self._all[-1].left_s = since_s
            if since_s < self._all[-1].counts_from_s:
                self._all.pop()
        self._all.append(Stretch(rate_per_s=rate_per_s, counts_from_s=since_s + self.profile.load.warm_up_s))

    def take(self, batch: Batch) -> None:
        """Count what ended, each in the stretch in which it was due."""
        self._until_s = max(self._until_s, batch.until_s)
        for attempt in batch.attempts:
            stretch = self._of(attempt.due_s)
            if attempt.kind != "ping" and stretch is not None:
                stretch.count(attempt, self.profile.http.budget_s)

    def rows(self) -> list[Row]:
        """Return a row a stretch, the newest first."""
        limit = self.profile.load.over_budget_share
        shown = [stretch for stretch in reversed(self._all) if stretch.rate_per_s]
        return [stretch.row(self._until_s, limit) for stretch in shown]

    def _of(self, due_s: float) -> Stretch | None:
        found = (one for one in reversed(self._all) if one.counts_from_s <= due_s < one.left_s)
        return next(found, None)


def as_table(rows: Sequence[Row]) -> list[dict[str, str | float]]:
    """Return rows as the page's table shows them: every figure as text, in its unit."""
    return [_shown(row) for row in rows]


def _shown(row: Row) -> dict[str, str | float]:
    texts = {name: "-" if value is None else value for name, value in asdict(row).items()}
    for name in ("p50", "p99", "p999", "longest", "lag"):
        texts[name] = texts[name] if texts[name] == "-" else f"{texts[name]:.2f}"
    texts |= {"rate": f"{row.rate:g}", "seconds": f"{row.seconds:.0f}"}
    texts |= {"offered": f"{row.offered:.1f}", "served": f"{row.served:.1f}"}
    texts |= {"share": f"{row.share:.2%}", "at_most": f"{row.at_most:.2%}"}
    return texts


def _verdict(over: Share, limit: float, lag_s: float) -> str:
    """Say what the figures prove about the budget, and what is missing where they do not."""
    is_within, more = over.is_within(limit), over.more_needed(limit)
    if lag_s > _LIMITS.lag_p99_s:
        return f"{Verdict.UNKNOWN.value}: the generator lags"
    if is_within is None:
        return f"{Verdict.UNKNOWN.value}: {'no number of' if more is None else more} more requests would tell"
    return (Verdict.PASSED if is_within else Verdict.FAILED).value


def _ms(seconds: float) -> float | None:
    return None if math.isnan(seconds) else seconds * 1000
