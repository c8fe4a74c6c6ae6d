"""A rate that is changed while it runs, and the exact figures of each rate."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from harness.load.record import NOT_STARTED
from harness.load.sheet import Batch
from harness.load.steering import Steering
from harness.load.stretches import Stretches, as_table
from tests.unit.test_load_judge import PROFILE, invocation, ping

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.load.arrivals import Law
    from harness.load.record import Attempt


@dataclass
class FakeClock:
    """A clock that moves only when somebody sleeps."""

    at_s: float = 0.0
    changes: list[tuple[float, float]] = field(default_factory=list)

    def now_s(self) -> float:
        """Return where it stands."""
        return self.at_s

    def sleep_until(self, due_s: float) -> None:
        """Move to a moment."""
        self.at_s = max(self.at_s, due_s)

    def note(self, since_s: float, rate_per_s: float) -> None:
        """Remember a new rate."""
        self.changes.append((since_s, rate_per_s))


def steered(
    rate_at: Callable[[float], float], *, length_s: float, law: Law = "constant"
) -> tuple[list[float], FakeClock]:
    clock = FakeClock()
    steering = Steering(
        law=law,
        seed=1,
        rate_per_s=lambda: rate_at(clock.at_s),
        is_over=lambda: clock.at_s >= length_s,
        changed=clock.note,
    )
    moments = []
    for due_s in steering(clock):
        clock.sleep_until(due_s)
        moments.append(due_s)
    return moments, clock


def between(moments: list[float], begin_s: float, end_s: float) -> int:
    return sum(begin_s <= moment < end_s for moment in moments)


@pytest.mark.parametrize("law", ["constant", "poisson"])
def test_arrivals_follow_the_rate(law: Law) -> None:
    moments, clock = steered(lambda at_s: 20 if at_s < 10 else 60, length_s=20, law=law)
    tolerance = 1 if law == "constant" else 45
    assert between(moments, 0, 10) == pytest.approx(200, abs=tolerance)
    assert between(moments, 10, 20) == pytest.approx(600, abs=tolerance)
    assert [rate for _, rate in clock.changes] == [20, 60]


def test_a_constant_rate_is_evenly_spaced() -> None:
    moments, _ = steered(lambda _: 50, length_s=4)
    assert {round(after - before, 9) for before, after in itertools.pairwise(moments)} == {0.02}


def test_a_slow_rate_that_keeps_changing_loses_nothing() -> None:
    # One, two, one, two a second, changed every 0.3 s: never would a whole second go by at one rate.
    moments, _ = steered(lambda at_s: 1 + int(at_s / 0.3) % 2, length_s=60)
    assert len(moments) == pytest.approx(90, abs=3)


def test_nothing_is_due_at_no_rate() -> None:
    moments, _ = steered(lambda at_s: 0 if at_s < 5 else 10, length_s=6)
    assert moments[0] == pytest.approx(5, abs=0.05)
    assert len(moments) == pytest.approx(10, abs=1)


def batch(*attempts: Attempt, until_s: float) -> Batch:
    return Batch(attempts=attempts, generator=NOT_STARTED, until_s=until_s)


def due(moment_s: float, *, latency_s: float = 0.01, **changes: object) -> Attempt:
    changed = {"due_s": moment_s, "started_s": moment_s + 0.001, "ended_s": moment_s + latency_s, **changes}
    return dataclasses.replace(invocation(0), **changed)  # type: ignore[arg-type]


def test_each_rate_has_its_own_exact_figures_and_newest_stands_first() -> None:
    stretches = Stretches(PROFILE)  # 2 s of warm-up
    stretches.begin(0, 20)
    stretches.take(batch(*(due(index / 20) for index in range(400)), until_s=20))
    stretches.begin(20, 100)
    late = [due(20 + index / 100, latency_s=1.2 if index % 10 == 0 else 0.02) for index in range(1_200)]
    stretches.take(batch(*late, ping(), until_s=32))
    fast, slow = stretches.rows()
    assert (slow.rate, slow.requests, slow.late, slow.verdict) == (20, 360, 0, "PASSED")
    assert slow.p99 == pytest.approx(10)
    assert (slow.offered, slow.served) == pytest.approx((20, 20))
    assert (fast.rate, fast.requests, fast.late, fast.verdict) == (100, 1_000, 100, "FAILED")
    assert [fast.p50, fast.longest, fast.lag] == pytest.approx([20, 1_200, 1])
    assert fast.seconds == pytest.approx(10)


def test_a_rate_that_is_only_passed_is_forgotten_and_too_few_requests_prove_nothing() -> None:
    stretches = Stretches(PROFILE)
    for tenth in range(30):
        stretches.begin(tenth / 10, tenth + 1)
    stretches.take(batch(*(due(5 + index / 20) for index in range(100)), until_s=10))
    (row,) = stretches.rows()
    assert (row.rate, row.requests, row.verdict) == (30, 100, "UNKNOWN: 199 more requests would tell")


def test_what_was_no_200_and_what_was_broken_on_purpose_are_told_apart() -> None:
    stretches = Stretches(PROFILE)
    stretches.begin(0, 20)
    attempts = [due(3), due(4, status=503), due(5, kind="broken", status=422), due(6, status=None, outcome="refused")]
    stretches.take(batch(*attempts, until_s=7))
    (row,) = stretches.rows()
    assert (row.requests, row.late, row.others) == (3, 2, "1 refused, 1 status 503")
    assert row.served == pytest.approx(2 / 5)


def test_a_rate_that_has_just_begun_has_no_figures_yet() -> None:
    stretches = Stretches(PROFILE)
    stretches.begin(0, 20)
    (shown,) = as_table(stretches.rows())
    assert (shown["rate"], shown["p99"], shown["requests"]) == ("20", "-", 0)


def test_a_generator_that_lags_proves_nothing() -> None:
    stretches = Stretches(PROFILE)
    stretches.begin(0, 20)
    stretches.take(batch(*(due(2 + n / 20, started_s=2.1 + n / 20) for n in range(400)), until_s=22))
    assert stretches.rows()[0].verdict == "UNKNOWN: the generator lags"
