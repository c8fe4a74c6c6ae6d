"""A bad network: clients behind a proxy of ours that delays, cuts or swallows, while others reach the sut directly."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.faults.crowd import Crowd, Manner
from harness.faults.fault import Expectation, Struck
from harness.system.container import SutLost
from harness.system.networks import nearest_address, own_address, resets_met
from harness.system.processes import OutOfReach
from harness.system.proxy.proxy import Proxy
from harness.system.waiting import WaitedInVain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harness.contract.profile import Profile
    from harness.faults.attempt import Attempt
    from harness.faults.crowd import Visit
    from harness.faults.inquiry import Inquiry
    from harness.system.container import State, Sut
    from harness.system.proxy.proxy import Told, Way

# Beyond the budget an answer may be on its way for so long: the budget runs from the arrival of the request.
ON_ITS_WAY_S = 1.0
# With the probes no more than the load's rate: what comes beyond it may be shed.
_PREDICTIONS_PER_S = 4.0
# So long may the first answer take on which a trouble on the way back does its harm.
_SILENT_S = 3.0


def far(profile: Profile, behave: Callable[[Visit], Awaitable[None]]) -> Manner:
    """Make clients of which each visit asks for one prediction; together they may ask for so many a second."""
    clients = profile.chaos.far_clients
    return Manner(size=clients, period_s=clients / _PREDICTIONS_PER_S, behave=behave)


def undisturbed(*, far_within_s: float | None = None) -> Expectation:
    """C14: nobody else notices, and nothing exits; the clients behind it may have to be answered in time as well."""
    return Expectation(exits="never", undisturbed=True, recovery_rule="C14", far_within_s=far_within_s)


@dataclass(slots=True, kw_only=True, eq=False)
class BadNetwork:
    """A crowd for `hold_s` seconds, client after client through the next of the `ways`; it ends with this process.

    `inquiry` is what they ask in earnest, and `patience_s` how long they may take to end what they have begun.
    `must_reset`: it has not taken before the container's own kernel met resets, which takes the way to its own address.
    """

    name: str
    ways: tuple[Way, ...]
    manner: Manner
    hold_s: float
    inquiry: Inquiry | None = None
    patience_s: float = 0.0
    must_reset: bool = False
    expects: Expectation = field(default_factory=undisturbed)
    leaves_trace: bool = False
    _proxy: Proxy | None = field(default=None, init=False, repr=False)
    _crowd: Crowd | None = field(default=None, init=False, repr=False)
    _resets_before: int = field(default=0, init=False, repr=False)
    _struck_s: float = field(default=0.0, init=False, repr=False)
    _told_last: str = field(default="nobody came", init=False, repr=False)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What was asked in earnest."""
        return () if self.inquiry is None else tuple(self.inquiry.attempts)

    def why_not(self, sut: Sut) -> str | None:
        """Say why a reset cannot reach the container."""
        if not self.must_reset:
            return None
        try:
            sut.wait_ready()
            own_address(sut)
        except OutOfReach as error:
            return str(error)
        except (SutLost, WaitedInVain):
            return None  # it never got ready: the experiment will say so
        return None

    def inject(self, sut: Sut) -> Struck:
        """Start the proxy and let the crowd in."""
        at_s = self._struck_s = time.monotonic()
        if self.must_reset:
            self._resets_before = resets_met(sut)
        self._proxy = Proxy(nearest_address(sut))
        urls = [f"http://127.0.0.1:{self._proxy.open(way)}" for way in self.ways]
        self._crowd = Crowd(urls, self.manner)
        self._crowd.come()
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that each client has come, and that each trouble did its harm."""
        del before
        if self._proxy is None or self._crowd is None or not self._crowd.is_all_there:
            return None
        told = self._proxy.tell()
        story = f"{self._crowd.story()}; {_story(self.ways, told)}"
        if not sut.state().is_up:
            return f"the container is down; {story}"
        if self.must_reset and resets_met(sut) <= self._resets_before:
            return None
        shown = [bool(_evidence(way, one)) for way, one in zip(self.ways, told, strict=True)]
        # A sut that one trouble has silenced says nothing that another could do harm to.
        is_silent = time.monotonic() > self._struck_s + _SILENT_S and any(shown)
        return story if all(shown) or is_silent else None

    def revert(self, sut: Sut) -> None:
        """Send the crowd away, once it has ended what it has begun, and end the proxy.

        Raises `ProxyLost` where that ended by itself: then what the crowd met is nobody's doing but ours.
        """
        del sut
        if self._crowd is not None:
            self._crowd.leave(patience_s=self.patience_s)
        proxy, self._proxy = self._proxy, None
        if proxy is not None:
            try:
                self._told_last = _story(self.ways, proxy.tell())
            finally:
                proxy.end()

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that nobody is left, and no connection."""
        del sut, before
        is_gone = self._proxy is None and (self._crowd is None or self._crowd.is_gone)
        return f"all gone; {self._told_last}" if is_gone else None

    def mend(self, sut: Sut) -> str:
        """Return the command that ends connections which nothing else ended."""
        return f"docker restart {sut.name}"


def _evidence(way: Way, told: Told) -> str:
    """Say what shows that the trouble of a way did its harm; empty where nothing does."""
    there, back = way.to_sut.evidence(told.to_sut), way.to_client.evidence(told.to_client)
    directions = [("towards the sut", there), ("towards the client", back)]
    return ", ".join(f"{direction} {found}" for direction, found in directions if found)


def _story(ways: tuple[Way, ...], told: list[Told]) -> str:
    found = [_evidence(way, one) or "no harm" for way, one in zip(ways, told, strict=True)]
    unreachable = sum(one.unreachable for one in told)
    return "; ".join([*found, *([f"{unreachable} times the sut took no connection"] if unreachable else [])])
