"""Containers for experiments: one that is used again while nothing changed it, and the next that warms meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.system.container import Sut


class Pool:
    """Hands out started containers; `wanted` is how many experiments need one of their own."""

    def __init__(self, start: Callable[[], Sut], *, wanted: int) -> None:
        self._start, self._wanted = start, wanted
        self._spare: Sut | None = None
        self._shared: Sut | None = None

    def own(self) -> Sut:
        """Hand out a container for one experiment that changes it; the one for the next such begins to warm."""
        sut = self._take()
        self._wanted -= 1
        if self._wanted > 0:
            self._spare = self._start()
        return sut

    def shared(self) -> Sut:
        """Hand out the container that experiments share which leave no trace; a new one where it is gone."""
        if self._shared is None or not self._shared.is_there():
            self._shared = self._take()
        return self._shared

    def give_back(self, sut: Sut, *, is_well: bool) -> None:
        """Take a container back: one that is shared and well is kept, any other is removed."""
        if sut is self._shared and is_well:
            return
        if sut is self._shared:
            self._shared = None
        sut.remove()

    def close(self) -> None:
        """Remove what is left."""
        for sut in (self._spare, self._shared):
            if sut is not None:
                sut.remove()
        self._spare = self._shared = None

    def _take(self) -> Sut:
        sut, self._spare = self._spare or self._start(), None
        return sut
