"""Clients that do what no client should, or too much of it, while others go on as ever."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.faults.crowd import Crowd
from harness.faults.fault import Expectation, Struck

if TYPE_CHECKING:
    from harness.faults.crowd import Manner
    from harness.system.container import State, Sut

# C14: nobody else notices, and nothing exits.
UNDISTURBED = Expectation(exits="never", undisturbed=True, recovery_rule="C14")
# C13: too much of what is right is refused in time.
MAY_SHED = Expectation(exits="never", may_shed=True, recovery_rule="C13")


@dataclass(slots=True, kw_only=True, eq=False)
class Traffic:
    """A crowd of clients for `hold_s` seconds; it lives in this process, and ends with it."""

    name: str
    manner: Manner
    hold_s: float
    expects: Expectation = UNDISTURBED
    leaves_trace: bool = False
    is_loud: bool = False
    _crowd: Crowd | None = field(default=None, init=False, repr=False)

    def inject(self, sut: Sut) -> Struck:
        """Let the crowd in."""
        at_s = time.monotonic()
        self._crowd = Crowd([sut.url], self.manner)
        self._crowd.come()
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that each client has come."""
        del sut, before
        return self._crowd.story() if self._crowd is not None and self._crowd.is_all_there else None

    def revert(self, sut: Sut) -> None:
        """Send the crowd away."""
        del sut
        if self._crowd is not None:
            self._crowd.leave()

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that nobody is left."""
        del sut, before
        if self._crowd is None:
            return "nobody came"
        return f"all gone; {self._crowd.story()}" if self._crowd.is_gone else None

    def mend(self, sut: Sut) -> str:
        """Return the command that ends connections which nothing else ended."""
        return f"docker restart {sut.name}"
