"""Evidence that one of two variants fails more often, gathered failure by failure, and looked at whenever one likes.

Chance gives each call to the challenger with a known share, which is another one in each step. Where both fail equally
often, a failure is the challenger's with just that share. The likelihood ratio of "it fails so many times as often"
over that, averaged over how many times, is a test martingale: by Ville's inequality it ever exceeds 1 / alpha with a
chance of alpha at most (Robbins, 1970; Johari and others, "Always valid inference", Operations Research, 2022).
"""

from __future__ import annotations

import math

# So many times as often, evenly weighted: from a little worse to a champion that never fails.
_TIMES = tuple(2.0**power for power in range(1, 10))


class Evidence:
    """How much speaks for it that the challenger fails more often than the champion."""

    def __init__(self) -> None:
        """Begin with none."""
        self._logs = [0.0] * len(_TIMES)

    def add(self, *, is_challenger: bool, share: float) -> None:
        """Take a failure into account that came while the challenger got a share of the calls (a fraction of 1).

        Where one variant gets all calls, its failures tell nothing of the other.
        """
        if not 0 < share < 1:
            return
        for place, times in enumerate(_TIMES):
            self._logs[place] += math.log((times if is_challenger else 1.0) / (times * share + 1 - share))

    @property
    def p(self) -> float:
        """The always-valid p of "it fails no more often"."""
        most = max(self._logs)
        log = most + math.log(sum(math.exp(one - most) for one in self._logs) / len(_TIMES))
        return math.exp(-max(log, 0.0))
