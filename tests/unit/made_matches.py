"""A simulator of matches: a market with fat tails whose heat comes in clusters, two models in it, two servers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.contract.profile import Release
from harness.release.comparison import Comparison
from harness.release.record import Header
from harness.release.sample import Column, Sample
from harness.release.yardstick import Fixed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from harness.release.yardstick import Yardstick

    Values = NDArray[np.float64]

HEADER = Header(
    champion="good:1",
    challenger="good:2",
    profile="made",
    budget_s=1.0,
    over_budget_share=0.01,
    skill_limit=1.5,
    broken=10,
    release=Release(),
)
_LAST = 60_000.0
_USUAL_MOVE = 0.4e-4
_KINDS, _TIMES = 10, 3
_OWN = 0.2  # what a model errs by itself, beside what nobody can foresee


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How a challenger differs: its root mean square error and its latency times over, shares of its answers."""

    worse: float = 1.0
    slower: float = 1.0
    errors: float = 0.0
    accepts: bool = False  # answers one kind of broken windows


NONE = Effect()


def markets(rng: np.random.Generator, runs: int, windows: int) -> Values:
    """Return what nobody can foresee, [runs, windows], of variance near 1: Student's t, its volatility clustered."""
    heat = np.zeros((runs, windows))
    heat[:, 0] = rng.standard_normal(runs) * 0.5
    noise = rng.standard_normal((runs, windows)) * 0.12
    for at in range(1, windows):
        heat[:, at] = 0.97 * heat[:, at - 1] + noise[:, at]
    return np.asarray(np.exp(heat) * rng.standard_t(5, (runs, windows)) * np.sqrt(3 / 5))


def misses(rng: np.random.Generator, unforeseen: Values, worse: float = 1.0) -> Values:
    """Return the errors of a model whose root mean square error is `worse` times that of a good one."""
    own = np.sqrt(worse**2 * (1 + _OWN**2) - 1) * np.sqrt(np.square(unforeseen).mean(axis=-1, keepdims=True))
    return np.asarray(unforeseen + own * rng.standard_normal(unforeseen.shape))


def answers_s(rng: np.random.Generator, common: Values, slower: float = 1.0) -> Values:
    """Return latencies: 5 ms, times what both have in common, times what each has alone, with an outlier in 100."""
    own = np.exp(0.15 * rng.standard_normal(common.shape)) * np.where(rng.random(common.shape) < 0.01, 4, 1)
    return np.asarray(0.005 * slower * common * own)


def sample(rng: np.random.Generator, unforeseen: Values, effect: Effect = NONE) -> Sample:
    """Return a match over recorded windows, one a move that nobody foresees, [n], and ten kinds of broken ones."""
    windows, kinds = len(unforeseen), np.repeat(np.arange(_KINDS), _TIMES)
    common = np.exp(0.2 * rng.standard_normal(windows + len(kinds)))
    truths = _LAST * (1 + unforeseen * _USUAL_MOVE)
    return Sample(
        regimes=np.array(["history"] * windows + ["broken"] * len(kinds)),
        ways=np.array(["history window"] * windows + [f"kind {kind}" for kind in kinds]),
        lasts=np.full(windows + len(kinds), _LAST),
        truths=np.concatenate([truths, np.full(len(kinds), np.nan)]),
        champion=_column(rng, unforeseen, common, NONE),
        challenger=_column(rng, unforeseen, common, effect),
    )


def _column(rng: np.random.Generator, unforeseen: Values, common: Values, effect: Effect) -> Column:
    windows, broken = len(unforeseen), len(common) - len(unforeseen)
    truths = _LAST * (1 + unforeseen * _USUAL_MOVE)
    told = truths + _LAST * _USUAL_MOVE * misses(rng, unforeseen, effect.worse)
    statuses = np.array([200] * windows + [422] * broken)
    if effect.accepts:
        statuses[windows : windows + _TIMES] = 200
    statuses[rng.random(len(statuses)) < effect.errors] = 500
    predictions = np.concatenate([told, np.full(broken, np.nan)])
    predictions[statuses != 200] = np.nan
    return Column(statuses=statuses, predictions=predictions, elapsed_s=answers_s(rng, common, effect.slower))


def comparisons(
    rng: np.random.Generator, runs: int, windows: int, effect: Effect = NONE, yardstick: Yardstick | None = None
) -> Iterator[Comparison]:
    """Give comparisons, each with a noise floor of a third of its size."""
    floor = max(windows // 3, 30)
    for unforeseen in markets(rng, runs, windows + floor):
        yield Comparison(
            match=sample(rng, unforeseen[:windows], effect),
            floor=sample(rng, unforeseen[windows:]),
            header=replace(HEADER, is_sequential=yardstick is not None),
            yardstick=yardstick or Fixed(),
        )
