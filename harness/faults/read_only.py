"""Kill the container whose root file system is read-only; what it wrote to `/tmp` is there when it starts again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from harness.faults.kill import KILLED, Kill
from harness.system.container import default_launch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.fault import Expectation, Struck
    from harness.system.container import Launch, State, Sut


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOnly:
    """SIGKILL, as `kill` has it, for a container that can write to `/tmp` alone."""

    killing: Kill
    hold_s: float
    name: str = "read_only"
    leaves_trace: bool = True
    expects: Expectation = KILLED

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        killing = Kill.of(profile, series)
        return cls(killing=killing, hold_s=killing.hold_s)

    def launch(self, profile: Profile) -> Launch:
        """Make the root read-only, and `/tmp` a volume that outlives the kill and goes with the container."""
        plain = default_launch(profile)
        tmp = "/tmp"  # noqa: S108 - the container's, by contract
        return replace(plain, kept=(tmp,), options={**plain.options, "read_only": True})

    def inject(self, sut: Sut) -> Struck:
        """Kill it."""
        return self.killing.inject(sut)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that it is down, and that its root was read-only."""
        down = self.killing.has_taken(sut, before)
        is_read_only = bool(sut.container.attrs["HostConfig"]["ReadonlyRootfs"])
        return f"{down}, its root read-only" if down and is_read_only else None

    def revert(self, sut: Sut) -> None:
        """Start the same container again where it is down."""
        self.killing.revert(sut)

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that the container was started anew, whatever became of it since."""
        return self.killing.has_reverted(sut, before)

    def mend(self, sut: Sut) -> str:
        """Return the command that starts it."""
        return self.killing.mend(sut)
