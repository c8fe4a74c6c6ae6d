"""The floor that experiments share: several quiet ones at once, or a loud one alone."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Floor:
    """Lets experiments in; who is loud waits until all have left, and nobody comes in before it has left."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = self._loud = 0

    @contextmanager
    def place(self, *, is_loud: bool) -> Iterator[None]:
        """Wait for a place, and keep it."""
        self._enter_alone() if is_loud else self._enter()
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._loud -= is_loud
                self._changed.notify_all()

    def _enter(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._loud)
            self._inside += 1

    def _enter_alone(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._loud)
            self._loud += 1
            self._changed.wait_for(lambda: not self._inside)
            self._inside += 1
