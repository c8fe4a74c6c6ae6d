"""Containers for experiments: used again while they are well, and the next one warms meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.system.container import Launch, Sut


class Pool:
    """Hands out started containers, to several experiments at once.

    Those that leave no trace share containers that nothing has harmed. The others have worn ones, which came well out
    of an experiment of their kind: that these are as good as new is what the contract promises. `planned` is how
    containers for one experiment will be started, in this order; None is the plain way. One of them warms while others
    are in use, and after them a second one to share, where one is wanted.
    """

    def __init__(
        self,
        start: Callable[[Launch | None], Sut],
        *,
        planned: Iterable[Launch | None],
        second_shared: bool = False,
    ) -> None:
        self._start, self._planned = start, deque(planned)
        self._warming: tuple[Launch | None, Future[Sut]] | None = None
        self._second_shared: Future[Sut] | None = None
        self._wants_second = second_shared
        self._idle: list[Sut] = []
        self._worn: list[Sut] = []
        self._shared: list[Sut] = []
        self._plain: list[Sut] = []
        self._out: list[Sut] = []
        self._lock = threading.Lock()
        # One at a time: each start keeps a core busy. Removals go here too, because nobody waits for them.
        self._hands = ThreadPoolExecutor(1, thread_name_prefix="pool")

    def own(self, launch: Launch | None = None) -> Sut:
        """Hand out a container for one experiment that changes it, started in the way that this one needs."""
        with self._lock:
            worn = _first_up(self._worn) if launch is None else None
            if worn is not None:
                self._out.append(worn)
                return worn
            coming = self._warm(launch)
            if coming is None and launch in self._planned:
                self._planned.remove(launch)
            coming = coming or self._begin(launch)
        sut = self._handed_out(coming.result())
        if launch is None:
            self._plain.append(sut)
        return sut

    def shared(self) -> Sut:
        """Hand out one that experiments use in turn which leave no trace; a new one where none is idle and up."""
        with self._lock:
            idle = _first_up(self._idle)
            if idle is not None:
                self._out.append(idle)
                return idle
            coming, self._second_shared = self._second_shared or self._begin(None), None
        sut = self._handed_out(coming.result())
        self._shared.append(sut)
        return sut

    def give_back(self, sut: Sut, *, is_well: bool) -> None:
        """Take a container back: one that was started in the plain way and is well is kept, any other is removed."""
        with self._lock:
            self._out.remove(sut)
            self._warm_next()
            if is_well and (sut in self._shared or sut in self._plain):
                (self._idle if sut in self._shared else self._worn).append(sut)
                return
        self._hands.submit(sut.remove)

    def settle(self) -> None:
        """Wait until nothing starts any more that would take the machine's processor: what warms is ready, or gone."""
        with self._lock:
            coming = [one for one in (self._warming and self._warming[1], self._second_shared) if one is not None]
        for one in coming:
            with suppress(Exception):  # whoever wants it will hear of it
                one.result().wait_ready()

    def close(self) -> None:
        """Remove all that there is, what is in use too."""
        with self._lock:
            self._planned.clear()
            for sut in (*self._idle, *self._worn, *self._out):
                self._hands.submit(sut.remove)
            for coming in filter(None, (self._warming and self._warming[1], self._second_shared)):
                if not coming.cancel():
                    self._hands.submit(_remove, coming)
        self._hands.shutdown()

    def _warm(self, launch: Launch | None) -> Future[Sut] | None:
        """Take the one that warms, where it is of that kind, and let the next begin."""
        if self._warming is None or self._warming[0] != launch:
            return None
        (_, coming), self._warming = self._warming, None
        self._warm_next()
        return coming

    def _warm_next(self) -> None:
        if self._planned and self._warming is None:
            launch = self._planned.popleft()
            self._warming = launch, self._begin(launch)
        elif self._wants_second and not self._planned and self._warming is None:
            self._second_shared, self._wants_second = self._begin(None), False

    def _begin(self, launch: Launch | None) -> Future[Sut]:
        return self._hands.submit(self._start, launch)

    def _handed_out(self, sut: Sut) -> Sut:
        with self._lock:
            self._out.append(sut)
        return sut


def _first_up(kept: list[Sut]) -> Sut | None:
    """Take out the first container that is up; those before it are gone."""
    while kept:
        if (sut := kept.pop(0)).is_there():
            return sut
    return None


def _remove(coming: Future[Sut]) -> None:
    coming.result().remove()
