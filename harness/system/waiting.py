"""Waiting with a budget, a subject and a reason; the only module that sleeps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")


class WaitedInVain(Exception):  # noqa: N818 - named by what happened
    """A budget ran out; the message says for what, how long, and what was seen last."""


def wait_for(
    look: Callable[[], Found | None],
    *,
    subject: str,
    budget_s: float,
    pause_s: float = 0.05,
    last_seen: Callable[[], str] = lambda: "nothing",
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Found:
    """Call `look` until it returns something other than None, and return that.

    `look` may raise to end the wait at once, for instance because the container died.
    Raises `WaitedInVain` after `budget_s` seconds.
    """
    deadline_s = clock() + budget_s
    while True:
        found = look()
        if found is not None:
            return found
        if clock() >= deadline_s:
            msg = f"{subject}: waited {budget_s:g} s in vain; last seen: {last_seen()}"
            raise WaitedInVain(msg)
        sleep(pause_s)


def sleep_until(due_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Sleep until a moment of the monotonic clock; return at once when it has passed."""
    time.sleep(max(0.0, due_s - clock()))


class Clock(Protocol):
    """What tells the time and lets it pass, so that a day can be tried in a second."""

    def now(self) -> float:
        """Return UTC epoch seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only ever go forward."""
        ...

    def sleep(self, duration_s: float) -> None:
        """Let time pass."""
        ...


class WallClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return UTC epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that only ever go forward."""
        return time.monotonic()

    def sleep(self, duration_s: float) -> None:
        """Sleep; a duration that is over already costs nothing."""
        time.sleep(max(0.0, duration_s))


class VirtualClock:
    """A clock that stands still until somebody sleeps, and then jumps."""

    def __init__(self, now_s: float) -> None:
        """Begin at a moment, in UTC epoch seconds."""
        self._now_s = now_s

    def now(self) -> float:
        """Return UTC epoch seconds."""
        return self._now_s

    def monotonic(self) -> float:
        """Return seconds that only ever go forward."""
        return self._now_s

    def sleep(self, duration_s: float) -> None:
        """Let time pass at once."""
        self._now_s += max(0.0, duration_s)
