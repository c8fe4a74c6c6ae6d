"""Fisher's exact test: whether one of two samples holds more hits than chance explains."""

from __future__ import annotations

import math


def more_p(hits: int, of: int, other_hits: int, other_of: int) -> float:
    """Return the chance of `hits` or more in the first sample, were all hits spread over both by chance (one-sided).

    Given how many hits there are together, the first sample's share of them is hypergeometric (Fisher, 1935).
    """
    together = hits + other_hits
    most = min(together, of)
    whole = _log_ways(of + other_of, together)
    logs = [_log_ways(of, at) + _log_ways(other_of, together - at) - whole for at in range(hits, most + 1)]
    return min(math.fsum(math.exp(log) for log in logs), 1.0)


def _log_ways(of: int, chosen: int) -> float:
    """Return the logarithm of a binomial coefficient; minus infinity where there is no such choice."""
    if not 0 <= chosen <= of:
        return -math.inf
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)
