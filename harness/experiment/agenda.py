"""The agenda of a laboratory: which experiment comes next, so that two that want the same container seldom meet."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from harness.faults.fault import Fitted, Loud

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.faults.fault import Fault

# Those that leave no trace use one container in turn: so many must wait for it to be worth the start of another.
_WORTH_A_CONTAINER = 4


def has_own(fault: Fault) -> bool:
    """Whether the experiment needs a container of its own."""
    return fault.leaves_trace or isinstance(fault, Fitted)


def is_loud(fault: Fault) -> bool:
    """Whether the experiment has to be alone on the machine."""
    return isinstance(fault, Loud) and fault.is_loud


class Agenda:
    """Hands out each experiment once: in order, but loud ones last, and best of a kind that is not under way."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._waiting = sorted(faults, key=is_loud)
        self._under_way: list[Fault] = []
        self._lock = threading.Lock()

    def next(self) -> Fault | None:
        """Return the next experiment; None: there is none that is worth a lane."""
        with self._lock:
            quiet = [fault for fault in self._waiting if not is_loud(fault)] or self._waiting
            chosen = next((fault for fault in quiet if not self._meets_its_kind(fault)), None)
            if chosen is None and self._is_worth_another(quiet):
                chosen = quiet[0]
            if chosen is not None:
                self._waiting.remove(chosen)
                self._under_way.append(chosen)
            return chosen

    def done(self, fault: Fault) -> None:
        """Take note that an experiment has ended."""
        with self._lock:
            self._under_way.remove(fault)

    def clear(self) -> list[Fault]:
        """Strike out what waits, and return it."""
        with self._lock:
            dropped, self._waiting = self._waiting, []
            return dropped

    @property
    def wants_two_shared(self) -> bool:
        """Whether there are so many without a trace, that a second container for them is worth its start."""
        return sum(not has_own(fault) for fault in self._waiting) > _WORTH_A_CONTAINER

    def _meets_its_kind(self, fault: Fault) -> bool:
        return any(has_own(other) == has_own(fault) for other in self._under_way)

    def _is_worth_another(self, quiet: Sequence[Fault]) -> bool:
        return bool(quiet) and (has_own(quiet[0]) or len(self._waiting) >= _WORTH_A_CONTAINER)
