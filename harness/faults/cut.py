"""Cut the container off its network and join it again; its address and its published port may be others then."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.faults.fault import Expectation, Struck
from harness.system.container import SutLost
from harness.system.networks import is_joined, join, leave, network_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import State, Sut

_EXPECTS = Expectation(exits="never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """No network for `hold_s` seconds: nobody reaches it, and it reaches nobody."""

    hold_s: float
    name: str = "cut"
    leaves_trace: bool = False
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del series
        return cls(hold_s=profile.chaos.cut_s)

    def inject(self, sut: Sut) -> Struck:
        """Take it off its network."""
        at_s = time.monotonic()
        leave(sut)
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that it is on no network, and published nowhere."""
        del before
        if is_joined(sut) or any(sut.container.ports.values()):
            return None
        return f"off network {network_of(sut)!r}, published nowhere, {sut.state().status}"

    def revert(self, sut: Sut) -> None:
        """Join it again where it is off."""
        if not is_joined(sut):
            join(sut)

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that it is on its network, and where it is published; one that is down is published nowhere."""
        del before
        if not is_joined(sut):
            return None
        try:
            return f"on network {network_of(sut)!r}, published at {sut.url}"
        except SutLost:
            return None if sut.state().is_up else f"on network {network_of(sut)!r}, {sut.state().status}"

    def mend(self, sut: Sut) -> str:
        """Return the command that joins it."""
        return f"docker network connect {network_of(sut)} {sut.name}"
