from __future__ import annotations

import math

import pytest

from harness.load.share import Share, percentile


# From the tables of Clopper and Pearson's interval, one-sided, 95 %.
@pytest.mark.parametrize(
    ("hits", "of", "upper"),
    [(0, 60, 0.0487), (0, 300, 0.00994), (0, 1000, 0.00299), (5, 1000, 0.01048), (10, 2000, 0.00847), (9, 10, 0.99488)],
)
def test_the_upper_bound_is_the_exact_one(hits: int, of: int, upper: float) -> None:
    assert Share(hits=hits, of=of).upper == pytest.approx(upper, rel=2e-3)


@pytest.mark.parametrize(
    ("hits", "of", "lower"), [(1, 10, 0.00512), (10, 100, 0.05526), (100, 1000, 0.08481), (10, 10, 0.74113)]
)
def test_the_lower_bound_is_the_exact_one(hits: int, of: int, lower: float) -> None:
    assert Share(hits=hits, of=of).lower == pytest.approx(lower, rel=2e-3)


@pytest.mark.parametrize("hits", [0, 1, 37, 99, 100])
def test_the_bound_is_where_the_binomial_leaves_the_stated_doubt(hits: int) -> None:
    share = Share(hits=hits, of=100)
    upper = sum(math.comb(100, k) * share.upper**k * (1 - share.upper) ** (100 - k) for k in range(hits + 1))
    lower = sum(math.comb(100, k) * share.lower**k * (1 - share.lower) ** (100 - k) for k in range(hits, 101))
    assert upper == pytest.approx(1.0 if hits == 100 else 0.05)
    assert lower == pytest.approx(1.0 if hits == 0 else 0.05)


def test_a_p99_needs_299_clean_requests() -> None:
    assert Share(hits=0, of=298).is_within(0.01) is None
    assert Share(hits=0, of=299).is_within(0.01) is True
    assert Share(hits=0, of=0).more_needed(0.01) == 299
    assert Share(hits=0, of=80).more_needed(0.01) == 219


def test_a_share_beyond_doubt_is_not_within() -> None:
    assert Share(hits=60, of=600).is_within(0.01) is False
    assert Share(hits=7, of=600).is_within(0.01) is None


def test_what_is_still_needed_decides() -> None:
    open_question = Share(hits=4, of=600)
    more = open_question.more_needed(0.01)
    assert more is not None
    assert more > 0
    assert Share(hits=math.ceil(4 / 600 * (600 + more)), of=600 + more).is_within(0.01) is True


def test_a_share_at_the_limit_is_never_decided() -> None:
    assert Share(hits=6, of=600).more_needed(0.01) is None


def test_a_large_sample_is_no_harder_than_a_small_one() -> None:
    share = Share(hits=30_000, of=1_000_000)
    assert share.lower < 0.03 < share.upper
    assert share.upper - share.lower < 0.001


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile(values, 0.999) == 100
    assert percentile([7.0], 0.01) == 7
    assert math.isnan(percentile([], 0.5))
