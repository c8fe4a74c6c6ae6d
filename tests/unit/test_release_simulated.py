"""How often comparisons err, and how often they see what is there, on matches made by a simulator."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.contract.verdict import Verdict
from harness.release.comparison import TESTS
from harness.release.confidence_sequence import half_width, heads_p
from harness.release.finding import Decision, decide
from harness.release.judge import judge_comparison
from harness.release.yardstick import AlwaysValid, Yardstick
from tests.unit.made_matches import NONE, Effect, answers_s, comparisons, markets, misses

if TYPE_CHECKING:
    from harness.release.sample import Flags
    from tests.unit.made_matches import Values

ALPHA = 0.05


def decisions(runs: int, windows: int, effect: Effect, yardstick: Yardstick | None = None) -> Counter[Decision]:
    made = comparisons(np.random.default_rng(7), runs, windows, effect, yardstick)
    return Counter(decide(judge_comparison(comparison)) for comparison in made)


def test_at_most_5_percent_of_1000_equal_challengers_are_rejected() -> None:
    assert decisions(1_000, 100, NONE)[Decision.REJECT] <= 50


@pytest.mark.parametrize(
    ("effect", "windows", "subjects"),
    [
        (Effect(worse=1.1), 600, {"absolute loss", "squared loss"}),
        (Effect(slower=1.2), 600, {"latency"}),
        (Effect(errors=0.01), 2_400, {"errors"}),
        (Effect(accepts=True), 100, {"parity"}),
    ],
    ids=["10 % worse", "20 % slower", "1 % errors", "refuses otherwise"],
)
@pytest.mark.parametrize("yardstick", [None, AlwaysValid()], ids=["fixed", "sequential"])
def test_a_worse_challenger_is_rejected_for_what_is_wrong_with_it(
    effect: Effect, windows: int, subjects: set[str], yardstick: Yardstick | None
) -> None:
    for comparison in comparisons(np.random.default_rng(3), 4, windows, effect, yardstick):
        failed = {one.subject for one in judge_comparison(comparison) if one.verdict is Verdict.FAILED}
        assert failed
        assert failed <= subjects


@pytest.mark.parametrize("effect", [Effect(worse=1.02), Effect(slower=1.1), Effect(errors=0.005)], ids=repr)
def test_at_most_5_percent_of_challengers_that_are_worse_by_just_the_margin_are_promoted(effect: Effect) -> None:
    assert decisions(40, 700, effect)[Decision.PROMOTE] <= 2


def test_what_is_open_says_how_many_more_windows_would_decide_it() -> None:
    (comparison,) = comparisons(np.random.default_rng(5), 1, 300)
    errors = next(one for one in judge_comparison(comparison) if one.subject == "errors")
    assert errors.verdict is Verdict.UNKNOWN
    assert errors.more_windows is not None
    assert 598 <= 330 + errors.more_windows <= 605  # 598 answers without an error: at most 0.5 % with 95 % confidence


def test_watched_all_the_way_at_most_5_percent_of_1000_equal_challengers_are_ever_rejected() -> None:
    """Looked at after each of 1,000 windows, from the hundredth on, by every judge that chance can deceive."""
    rng, runs, windows = np.random.default_rng(11), 1_000, 1_000
    unforeseen = rng.permuted(markets(rng, runs, windows), axis=1)
    common = np.exp(0.2 * rng.standard_normal(unforeseen.shape))
    ours, theirs = misses(rng, unforeseen), misses(rng, unforeseen)
    slower = np.log(answers_s(rng, common) / answers_s(rng, common))
    ever = _ever_above(np.abs(ours) - np.abs(theirs)) | _ever_above(ours**2 - theirs**2) | _ever_above(slower)
    ever |= _ever_more(rng.random(unforeseen.shape) < 0.01, rng.random(unforeseen.shape) < 0.01)
    assert ever.mean() <= ALPHA


def _ever_above(values: Values) -> Flags:
    """Return in which runs, [runs], a mean was ever surely above 0, of values [runs, windows]."""
    counts = np.arange(1, values.shape[1] + 1)
    means = np.cumsum(values, axis=1) / counts
    deviations = np.sqrt(np.maximum(np.cumsum(values**2, axis=1) / counts - means**2, 0))
    lows = means - deviations * half_width(counts, alpha=ALPHA / TESTS)
    return np.asarray((lows[:, AlwaysValid().least - 1 :] > 0).any(axis=1))


def _ever_more(ours: Flags, theirs: Flags) -> Flags:
    """Return in which runs, [runs], one side surely ever hit more often than the other."""
    heads, tails = np.cumsum(ours & ~theirs, axis=1), np.cumsum(theirs & ~ours, axis=1)
    is_sure = np.array(
        [[heads_p(up, down) < ALPHA / TESTS for down in range(tails.max() + 1)] for up in range(heads.max() + 1)]
    )
    return np.asarray(is_sure[heads, tails].any(axis=1))


def test_an_interval_for_one_look_does_not_hold_when_one_looks_all_the_way() -> None:
    """What the sequences are there for: the same path, watched with an interval that is meant for one look."""
    rng = np.random.default_rng(13)
    values = rng.standard_normal((1_000, 1_000))
    counts = np.arange(1, values.shape[1] + 1)
    z = (np.abs(np.cumsum(values, axis=1)) / np.sqrt(counts))[:, 99:].max(axis=1)
    assert (z > 1.96).mean() > 3 * ALPHA
