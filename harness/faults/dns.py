"""Leave the container without names: it needs none to start, to serve, and to start again."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from harness.faults.fault import Expectation, Struck
from harness.system.container import default_launch
from harness.system.networks import resolvers_of, silent_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import Launch, State, Sut

_EXPECTS = Expectation(exits="never", recovery_rule="C4")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoNames:
    """A container that was started with a resolver which never answers, and that is stopped and started once more."""

    name: str = "dns"
    hold_s: float = 0.0
    leaves_trace: bool = True
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del profile, series
        return cls()

    def launch(self, profile: Profile) -> Launch:
        """Name an address as resolver that nobody has."""
        plain = default_launch(profile)
        return replace(plain, options={**plain.options, "dns": [silent_address()]})

    def inject(self, sut: Sut) -> Struck:
        """Stop it and start it again."""
        at_s = time.monotonic()
        sut.container.stop(timeout=round(sut.profile.container.stop_s))
        sut.start_again()
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that it was started anew, and whom it asks for names."""
        if sut.state().started_at == before.started_at:
            return None
        asked = resolvers_of(sut)
        return f"started anew; it asks {asked[0]} for names" if asked == [silent_address()] else None

    def revert(self, sut: Sut) -> None:
        """Do nothing: the names are gone for good, and the container with them."""
        del sut

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show how it is."""
        del before
        return f"without names to its end, {sut.state().status}"

    def mend(self, sut: Sut) -> str:
        """Return the command that removes it."""
        return f"docker rm --force {sut.name}"
