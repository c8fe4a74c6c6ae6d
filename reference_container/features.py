"""What the model sees of a window: its prices relative to the last close, so that the level does not matter."""

from collections.abc import Sequence

RECORDS = 60
FEATURES = 2 * RECORDS - 1


def features(*, highs: Sequence[float], lows: Sequence[float], closes: Sequence[float]) -> list[float]:
    """Return FEATURES numbers, 0 at the last close: the earlier closes, then the middle of each second's range."""
    last = closes[-1]
    earlier = [close / last - 1.0 for close in closes[:-1]]
    middles = [(high + low) / (2.0 * last) - 1.0 for high, low in zip(highs, lows, strict=True)]
    return earlier + middles
