"""A variant that is up: its ready containers, what it weighs, what it got."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from yarl import URL

from harness.release.endpoint.config import ShadowConfig

if TYPE_CHECKING:
    from harness.contract.profile import Http
    from harness.release.endpoint.config import AnyVariant
    from harness.release.endpoint.supply import Instance
    from harness.release.endpoint.tally import Count, Tally


class Member:
    """A container in rotation; `alarm` asks for a ping at once."""

    def __init__(self, instance: Instance, http: Http) -> None:
        """Take a container that is ready."""
        self.instance = instance
        self.invocations = URL(instance.url + http.invocations_path)
        self.ping = URL(instance.url + http.ping_path)
        self.in_flight = 0
        self.asked = 0
        self.is_suspect = False
        self.alarm = asyncio.Event()

    def suspect(self) -> None:
        """Prefer others until its next ping is 200, and ping it now."""
        self.is_suspect = True
        self.alarm.set()


class Variant:
    """One variant; all but its tally belongs to the router's thread."""

    def __init__(self, config: AnyVariant, count: Count) -> None:
        """Begin without a container."""
        self.config = config
        self.name = config.name
        self.count = count
        self.members: list[Member] = []
        self.watchers: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def weight(self) -> float:
        """What it weighs among the production variants; the share of the calls of which a shadow gets a copy."""
        return self.config.share if isinstance(self.config, ShadowConfig) else self.config.weight

    @property
    def is_shadow(self) -> bool:
        """Whether it gets copies."""
        return isinstance(self.config, ShadowConfig)

    def member(self, *, but: set[Member]) -> Member | None:
        """Return the container that has the least to do, those without doubt first; None where none is ready."""
        ready = [one for one in self.members if one not in but]
        return min(ready, key=lambda one: (one.is_suspect, one.in_flight, one.asked), default=None)

    def begin(self) -> None:
        """Count a call as in flight, from the moment on at which it was given to this variant."""
        self.count.in_flight += 1
        self._idle.clear()

    def end(self) -> None:
        """Count it as answered."""
        self.count.in_flight -= 1
        if not self.count.in_flight:
            self._idle.set()

    async def wait_idle(self, budget_s: float) -> None:
        """Wait until nothing is in flight, so long at most."""
        await asyncio.wait_for(self._idle.wait(), budget_s)

    def tally(self) -> Tally:
        """Return what it got so far."""
        names = tuple(one.instance.name for one in self.members)
        return self.count.tally(self.name, is_shadow=self.is_shadow, weight=self.weight, containers=names)
