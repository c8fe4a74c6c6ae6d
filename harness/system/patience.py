"""Patience with a container that has too much to do: it may say so, and when to come again, as often as it has to."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.contract.judge import OK, UNAVAILABLE
from harness.system.waiting import sleep_until

if TYPE_CHECKING:
    from harness.contract.judge import Answered

# A container that lets nothing through for so long is not busy, it is down.
SPAN_S = 10.0
_PAUSE_MOST_S, _PAUSE_LEAST_S = 5.0, 0.05


def is_shed(answer: Answered) -> bool:
    """Whether an answer says in the contract's way that there was too much to do: 503, come again in whole seconds."""
    when = answer.headers.get("retry-after", "").strip()
    return answer.status == UNAVAILABLE and when.isascii() and when.isdigit()


@dataclass(slots=True)
class Patience:
    """What the clients of one container bear together; what it must not shed at all, the load suite says.

    The suites send as fast as answers come, which may be more than the profile's rate: nothing else is promised.
    """

    span_s: float = SPAN_S
    _nothing_since_s: float | None = field(default=None, init=False)

    def bears(self, answer: Answered) -> bool:
        """Wait as an answer asks, and say that the request may go out again; False where the answer is one to judge."""
        now_s = time.monotonic()
        if not is_shed(answer):
            self._nothing_since_s = None if answer.status == OK else self._nothing_since_s
            return False
        if self._nothing_since_s is None:
            self._nothing_since_s = now_s
        if now_s - self._nothing_since_s >= self.span_s:
            return False
        asked_s = float(answer.headers["retry-after"])
        sleep_until(now_s + min(max(asked_s, _PAUSE_LEAST_S), _PAUSE_MOST_S))
        return True
