"""The statistics of a comparison, beside figures of SciPy 1.17 for the same numbers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from harness.release.confidence_sequence import half_width, heads_p, mean_p, share_upper
from harness.release.fisher import more_p
from harness.release.hodges_lehmann import shift_of
from harness.release.yardstick import AlwaysValid, Fixed, Hits


def made(n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return an autocorrelated series that any language can make again."""
    state, values = 12_345, [0.0]
    for _ in range(n):
        state = (1_103_515_245 * state + 12_345) % 2**31
        values.append(state / 2**31 - 0.5 + 0.6 * values[-1])
    return np.array(values[1:]) + 0.05


@pytest.mark.parametrize(
    ("counts", "p"),
    [
        ((7, 1000, 0, 1000), 0.007730633099803728),
        ((12, 150, 5, 240), 0.0063022138850956045),
        ((3, 10, 3, 10), 0.6857585139318885),
        ((0, 50, 4, 50), 1.0),
        ((20, 20, 0, 20), 7.254444551924844e-12),
        ((11, 1297, 1, 1297), 0.003118170428590492),
    ],
)
def test_fishers_p_is_scipys(counts: tuple[int, int, int, int], p: float) -> None:
    """`scipy.stats.fisher_exact(..., alternative="greater")`."""
    assert more_p(*counts) == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize(
    ("n", "p", "low", "high"),
    [
        (40, 0.3607125280374267, -0.05298221037332674, 0.1479174507526816),
        (300, 0.03660802868085173, 0.003055177005948678, 0.08848791412378318),
    ],
)
def test_a_shift_is_wilcoxons_test_inverted(n: int, p: float, low: float, high: float) -> None:
    """`scipy.stats.wilcoxon(method="asymptotic", correction=False)`, and where its p crosses 5 %."""
    values, found = made(n), shift_of(made(n), confidence=0.95)
    averages = [(one + other) / 2 for one, other in itertools.combinations_with_replacement(values, 2)]
    assert found.p == pytest.approx(p, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-8)
    assert found.value == pytest.approx(float(np.median(averages)), rel=1e-12)


@pytest.mark.parametrize(
    ("n", "alpha", "half"),
    [(100, 0.05, 0.33157128145164), (500, 0.05, 0.1357492896986946), (1200, 0.01, 0.1043335732705738)],
)
def test_a_means_sequence_ends_where_the_mixture_reaches_its_bound(n: int, alpha: float, half: float) -> None:
    """SciPy's quadrature of the likelihood ratios over a normal prior: the mean at which it is 1 / alpha."""
    assert float(half_width(n, alpha=alpha)) == pytest.approx(half, rel=1e-9)
    assert mean_p(half * n**0.5, n, alpha=alpha) == pytest.approx(alpha, rel=1e-7)


@pytest.mark.parametrize(
    ("heads", "tails", "p"),
    [(9, 0, 0.009775171065493644), (7, 0, 0.03137254901960784), (12, 3, 0.112278104227394), (5, 5, 1.0), (0, 6, 1.0)],
)
def test_a_coins_p_is_the_mixtures(heads: int, tails: int, p: float) -> None:
    """SciPy's quadrature of the likelihood ratios over all coins that favour heads."""
    assert heads_p(heads, tails) == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize(
    ("hits", "of", "upper"),
    [(0, 900, 0.0050008705898959465), (3, 900, 0.011819957261521503), (10, 200, 0.10577920571513524), (5, 5, 1.0)],
)
def test_a_shares_bound_is_the_mixtures(hits: int, of: int, upper: float) -> None:
    """Where SciPy's quadrature of the likelihood ratios over all smaller shares is 20."""
    assert share_upper(hits, of, alpha=0.05) == pytest.approx(upper, rel=1e-8)


@pytest.mark.parametrize("yardstick", [Fixed(), AlwaysValid()], ids=["fixed", "always valid"])
def test_losses_that_are_the_same_have_the_ratio_1_for_sure(yardstick: Fixed | AlwaysValid) -> None:
    losses = np.abs(made(200))
    found = yardstick.ratio(losses, losses, alpha=0.05)
    assert (found.value, found.low, found.high, found.p) == (1.0, 1.0, 1.0, 1.0)


def test_looking_at_any_time_is_paid_for_with_wider_intervals() -> None:
    losses, others = np.square(made(400)), np.square(made(500)[100:])
    once, always = (stick.ratio(losses, others, alpha=0.05) for stick in (Fixed(), AlwaysValid()))
    assert once.value == always.value
    assert 1.2 < always.half / once.half < 2
    hits = Hits(ours=9, others=1, both=1, of=400)
    assert Fixed().more_p(hits) < AlwaysValid().more_p(hits)
    assert Fixed().upper(0, 900, alpha=0.05) < AlwaysValid().upper(0, 900, alpha=0.05)
