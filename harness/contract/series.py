"""Seeded one-second OHLCV series that look like a market: bid-ask bounce, changing volatility, silent seconds."""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

SECOND_NS = 1_000_000_000
# A trade lies within 0.2 % of the close before it, so no second spans, and no close moves by, more than 0.5 %.
REACH = 0.002
# Half the spread, in volatilities of one second: trades bounce between bid and ask, as they do on a real book.
_HALF_SPREAD_SHARE = 2.0
_VOLATILITY_MEMORY = 0.97
_VOLATILITY_NOISE = 0.12
# The walk starts this many volatilities above the level, which reflects it, so that it seldom touches it.
_HEADROOM = 60.0
_CENTS_FROM = 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """One second of a market: prices in USD, `volume` in BTC, `count` trades.

    `first_event_ns` and `last_event_ns` are the offsets of the first and last trade inside the second,
    0 <= first <= last < 1e9; a second without trades has 0 and 1e9. `others` are recorded values of fields that are
    no price, by name; a generated series has none. Another profile's period may be an hour, and its price a demand.
    """

    open: float
    high: float
    low: float
    close: float
    volume: float
    count: int
    first_event_ns: int
    last_event_ns: int
    others: Mapping[str, float] = field(default_factory=dict, hash=False)


@dataclass(slots=True, kw_only=True)
class _Market:
    """What one second hands to the next."""

    level: float
    offset: float  # log of the efficient price over the level, >= 0
    heat: float  # log of the present volatility over its mean
    close: float


def generate(
    *, seed: int, seconds: int, level: float = 30_000.0, volatility: float = 4e-5, silent_share: float = 0.3
) -> list[Second]:
    """Return `seconds` consecutive seconds, the same for the same arguments.

    Prices start just above `level` (USD, >= 1) and never fall below it. `volatility` is the standard deviation of the
    efficient price's log return in one second; at 0 every price equals `level`. `silent_share` of the seconds, at
    random, have no trade. Raises ValueError for arguments outside these ranges.
    """
    _refuse_nonsense(seconds=seconds, level=level, volatility=volatility, silent_share=silent_share)
    rng = random.Random(seed)  # noqa: S311 - a series to repeat, no secret
    start = _HEADROOM * volatility
    market = _Market(level=level, offset=start, heat=0.0, close=_rounded(level * math.exp(start), level))
    return [_second(rng, market, volatility=volatility, silent_share=silent_share) for _ in range(seconds)]


def _refuse_nonsense(*, seconds: int, level: float, volatility: float, silent_share: float) -> None:
    if seconds < 0 or level < 1 or not 0 <= volatility < REACH or not 0 <= silent_share <= 1:
        msg = (
            f"no series of {seconds} seconds at level {level}, volatility {volatility}, silent share {silent_share}: "
            f"need seconds >= 0, level >= 1, 0 <= volatility < {REACH}, 0 <= silent_share <= 1"
        )
        raise ValueError(msg)


def _second(rng: random.Random, market: _Market, *, volatility: float, silent_share: float) -> Second:
    market.heat = _VOLATILITY_MEMORY * market.heat + _VOLATILITY_NOISE * rng.gauss(0.0, 1.0)
    silent = rng.random() < silent_share
    count = 1 if silent else 1 + min(int(rng.expovariate(0.35)), 60)
    prices = list(_trades(rng, market, count=count, spread=_HALF_SPREAD_SHARE * volatility, volatility=volatility))
    if silent:
        return _carried_forward(market.close)
    market.close = prices[-1]
    events = sorted(rng.randrange(SECOND_NS) for _ in range(min(count, 2)))
    volume = max(round(count * rng.expovariate(8.0), 8), 1e-8)
    return Second(
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=volume,
        count=count,
        first_event_ns=events[0],
        last_event_ns=events[-1],
    )


def _trades(rng: random.Random, market: _Market, *, count: int, spread: float, volatility: float) -> Iterator[float]:
    """Walk the efficient price through `count` trades, each at the bid or at the ask."""
    step = volatility * math.exp(market.heat) / math.sqrt(count)
    before = market.close
    for _ in range(count):
        market.offset = abs(market.offset + rng.gauss(0.0, step))
        side = spread if rng.random() < 0.5 else -spread  # noqa: PLR2004 - a fair coin
        price = market.level * math.exp(market.offset + side)
        price = min(max(price, before * (1 - REACH)), before * (1 + REACH))
        yield _rounded(max(price, market.level), market.level)


def _carried_forward(close: float) -> Second:
    return Second(
        open=close, high=close, low=close, close=close, volume=0.0, count=0, first_event_ns=0, last_event_ns=SECOND_NS
    )


def _rounded(price: float, level: float) -> float:
    """Round to cents at big levels, to enough digits at small ones that neighbouring prices stay distinct."""
    digits = 2 if level >= _CENTS_FROM else 6 - math.floor(math.log10(level))
    return round(price, digits)
