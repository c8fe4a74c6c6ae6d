"""The windows that both sides are asked about: recorded ones, generated regimes, and broken ones."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.audit.model.jump import jump
from harness.audit.model.market import flat, market_of, times
from harness.contract.breaches import kinds_of_breaches
from harness.contract.levels import level_in, series_in
from harness.contract.malformed_csv import NO_CSV
from harness.contract.malformed_json import NO_JSON
from harness.contract.records import build, encode
from harness.contract.series import generate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.audit.model.market import Market
    from harness.contract.breach import Breach
    from harness.contract.malformed import Flaw
    from harness.contract.profile import Profile, WindowRule
    from harness.contract.records import Codec
    from harness.contract.series import Second
    from harness.release.record import Regime

_SHARES: Mapping[Regime, float] = {"history": 0.5, "quiet": 0.2, "trending": 0.1, "jump": 0.1, "flat": 0.1}
_SHARES_GENERATED: Mapping[Regime, float] = {"quiet": 0.5, "trending": 0.3, "jump": 0.1, "flat": 0.1}
_LEVEL = 60_000.0
_VOLATILITY, _DRIFT = 4e-5, 2e-5
# In jumps that the profile's `jump_move` defines, down or up, and how long ago, in records.
_JUMP_TIMES, _JUMP_AGES = (-3.0, -1.6, 1.6, 3.0, 4.0), (1, 3, 10, 40)
_KINDS_A_RULE = 12
_FLAWS_A_CODEC = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A window to send, what came next (USD, None: nothing is promised), and how it is broken, if it is.

    `at` is its place in its regime's time; `way` names what it has in common with others that are answered alike.
    """

    regime: Regime
    at: int
    seconds: tuple[Second, ...]
    codec: Codec
    way: str
    truth: float | None = None
    breach: Breach | None = None
    flaw: Flaw | None = None

    def body(self, rule: WindowRule, *, end_ns: int) -> bytes:
        """Return the bytes to send, for a window that ends at a moment (Unix time in nanoseconds)."""
        window = build(rule, self.seconds, end_ns=end_ns)
        content = encode(rule, window if self.breach is None else self.breach.of(window), self.codec)
        return content if self.flaw is None else self.flaw.of(rule, content)


def good_questions(
    profile: Profile, history: Sequence[Second] | None, *, count: int, seed: int, is_spread: bool = False
) -> list[Question]:
    """Return about `count` good windows of all regimes, each regime in the order of time.

    Neighbours of a recording are sent as they followed each other, so that their losses can be told apart from chance;
    where `is_spread` they lie all over it, so that whatever was sent so far stands for all of it.
    """
    shares = _SHARES if history else _SHARES_GENERATED
    return [
        question
        for regime, share in shares.items()
        for question in _of(regime, profile, history, math.ceil(share * count), seed=seed, is_spread=is_spread)
    ]


def broken_questions(profile: Profile, *, seed: int) -> list[Question]:
    """Return one window for each of many ways to break it: both must refuse each alike."""
    records = profile.window.records
    seconds = tuple(series_in(profile, seed=seed, seconds=records, level=_LEVEL))
    ways = [*_breaches(profile), *_flaws(profile.window)]
    return [
        Question(
            regime="broken",
            at=at,
            seconds=seconds,
            codec=codec,
            way=f"{rule_id} as {codec}: {says}",
            breach=breach,
            flaw=flaw,
        )
        for at, (rule_id, says, codec, breach, flaw) in enumerate(ways)
    ]


def _of(
    regime: Regime, profile: Profile, history: Sequence[Second] | None, count: int, *, seed: int, is_spread: bool
) -> Iterator[Question]:
    market = _market(regime, profile, history, count, seed=seed)
    draw = random.Random(f"{seed} {regime}")  # noqa: S311 - a mix to repeat, no secret
    for begin in _begins(market, count, is_spread=is_spread):
        seconds, truth = market.cut(begin), market.close_after(begin)
        if regime == "jump":
            move = draw.choice(_JUMP_TIMES) * profile.prediction.jump_move
            seconds = jump(seconds, move=move, age=min(draw.choice(_JUMP_AGES), len(seconds) - 1))
            truth *= 1 + move
        if regime == "flat":
            seconds = (flat(truth),) * len(seconds)
        codec: Codec = "csv" if draw.random() < profile.load.csv_share else "json"
        yield Question(
            regime=regime, at=begin, seconds=seconds, truth=truth, codec=codec, way=f"{regime} window as {codec}"
        )


def _market(regime: Regime, profile: Profile, history: Sequence[Second] | None, count: int, *, seed: int) -> Market:
    if regime == "history" and history:
        return market_of(history, profile)
    length = count + profile.window.records
    level = history[0].close if history else level_in(profile.window, _LEVEL)
    series = generate(seed=seed, seconds=length, level=level, volatility=_VOLATILITY)
    if regime == "trending":
        series = [times(second, math.exp(_DRIFT * at)) for at, second in enumerate(series)]
    return market_of(series, profile)


def _begins(market: Market, count: int, *, is_spread: bool) -> Iterable[int]:
    last = len(market.seconds) - market.records
    if not is_spread or count >= last:
        return market.begins(count)
    return [last * at // count for at in range(count)]


def _breaches(profile: Profile) -> Iterator[tuple[str, str, Codec, Breach | None, Flaw | None]]:
    for rule_id, kinds in kinds_of_breaches(profile.window).items():
        if rule_id in profile.waived:
            continue
        some = kinds[:: math.ceil(len(kinds) / _KINDS_A_RULE)]
        for turn, kind in enumerate(some):
            breach, codec = kind.always[turn % len(kind.always)]
            yield rule_id, breach.says, codec, breach, None


def _flaws(rule: WindowRule) -> Iterator[tuple[str, str, Codec, Breach | None, Flaw | None]]:
    for families in (NO_JSON, NO_CSV):
        flaws = [flaw for family in families.values() for flaw in family if flaw.is_of(rule)]
        for flaw in flaws[:: max(math.ceil(len(flaws) / _FLAWS_A_CODEC), 1)]:
            yield flaw.rule, flaw.says, flaw.codec, None, flaw
