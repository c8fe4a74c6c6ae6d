"""The statistics of the model audit, beside the figures of SciPy 1.17 and statsmodels 0.15 for the same series."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.audit.forecast_test import diebold_mariano, mean_of, rmse_ratio
from harness.audit.student_t import critical, two_sided_p

if TYPE_CHECKING:
    from harness.audit.forecast_test import Series


def made(n: int) -> Series:
    """Return an autocorrelated series that any language can make again."""
    state, values = 12_345, [0.0]
    for _ in range(n):
        state = (1_103_515_245 * state + 12_345) % 2**31
        values.append(state / 2**31 - 0.5 + 0.6 * values[-1])
    return np.array(values[1:]) + 0.05


@pytest.mark.parametrize(
    ("t", "freedom", "p"),
    [
        (0.5, 1, 0.7048327646991335),
        (2.0, 3, 0.13932596855884305),
        (-2.5, 10, 0.03144684423660882),
        (1.96, 119, 0.05233321303247291),
        (4.2, 1499, 2.826356681244434e-05),
        (12, 30, 5.580185415199261e-13),
        (0.001, 5, 0.9992407867721976),
        (math.inf, 5, 0.0),
        (0.0, 5, 1.0),
    ],
)
def test_the_tails_are_scipys(t: float, freedom: float, p: float) -> None:
    assert two_sided_p(t, freedom) == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize(
    ("confidence", "freedom", "t"),
    [
        (0.95, 1, 12.706204736174694),
        (0.95, 9, 2.262157162798205),
        (0.95, 1499, 1.9615478106169344),
        (0.99, 29, 2.756385903670605),
    ],
)
def test_the_critical_values_are_scipys(confidence: float, freedom: float, t: float) -> None:
    assert critical(confidence, freedom) == pytest.approx(t, rel=1e-9)


@pytest.mark.parametrize(
    ("n", "mean", "low", "high"),
    [
        (40, 0.05910361429824279, -0.08809001186270099, 0.20629724045918657),
        (300, 0.04635666676785671, -0.021580817463213157, 0.11429415099892656),
    ],
)
def test_the_interval_of_a_mean_is_statsmodels_with_newey_wests_variance(
    n: int, mean: float, low: float, high: float
) -> None:
    found = mean_of(made(n))
    assert (found.value, found.low, found.high) == pytest.approx((mean, low, high), rel=1e-9)
    assert not found.is_off_zero


@pytest.mark.parametrize(
    ("n", "horizon", "statistic", "p"),
    [
        (40, 1, 0.8019676832749474, 0.42743141500689275),
        (40, 3, 0.7613550437038966, 0.45102447372539595),
        (300, 1, 1.3405631599962027, 0.18107996945543872),
        (300, 3, 1.3316111272162647, 0.1840022636109743),
    ],
)
def test_diebold_mariano_with_the_small_sample_correction(n: int, horizon: int, statistic: float, p: float) -> None:
    found = diebold_mariano(made(n), np.zeros(n), horizon=horizon)
    assert (found.statistic, found.p) == pytest.approx((statistic, p), rel=1e-9)


def test_equal_forecasts_are_called_different_about_as_often_as_promised() -> None:
    draw = np.random.default_rng(2)
    losses = np.square(draw.normal(size=(400, 2, 200)))
    alarms = sum(diebold_mariano(first, second).p < 0.05 for first, second in losses)
    assert 0.02 < alarms / 400 < 0.09


def test_one_forecast_reckoned_in_two_ways_is_not_told_apart() -> None:
    losses = np.square(made(300))
    found = diebold_mariano(losses, losses * (1 + 1e-12))
    assert (found.statistic, found.p) == (0.0, 1.0)
    assert not found.first_is_worse
    assert not found.first_is_better


def test_a_constant_difference_is_certain() -> None:
    found = diebold_mariano(np.full(50, 2.0), np.full(50, 1.0))
    assert found.p == 0
    assert found.first_is_worse


def test_the_bootstraps_interval_holds_the_true_ratio_as_often_as_promised() -> None:
    draw = np.random.default_rng(3)
    intervals = [rmse_ratio(1.2 * draw.normal(size=400), draw.normal(size=400)) for _ in range(60)]
    held = sum(found.low <= 1.2 <= found.high for found in intervals)
    assert held >= 50


def test_a_rival_that_never_errs_leaves_no_ratio() -> None:
    assert rmse_ratio(np.ones(50), np.zeros(50)).low == math.inf
    assert rmse_ratio(np.zeros(50), np.zeros(50)).high == 1
