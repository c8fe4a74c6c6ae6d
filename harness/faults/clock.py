"""Set the container's clock ahead while it runs, and back again, as a machine does that finds its time server late."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from harness.contract.records import SECOND_NS, build, content_type, encode, last_whole_second_ns
from harness.faults.fault import Expectation, Struck
from harness.system.client import Client, NoAnswer, Request
from harness.system.container import SutLost, default_launch
from harness.system.daemon import Machine
from harness.system.faketime import PACKAGE, Clock, find_library, is_loaded_by_all
from harness.system.processes import OutOfReach
from harness.system.waiting import WaitedInVain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import Launch, State, Sut

_OK = 200
# Windows stay good by either clock: whoever has one refused, or not served, has noticed, of the way back as well.
_EXPECTS = Expectation(exits="never", undisturbed=True, seamless=True, notice_rule="R1", recovery_rule="R1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAhead:
    """A clock that is `ahead_s` seconds ahead for `hold_s` seconds: less than makes a fresh window too old."""

    ahead_s: float
    hold_s: float
    seconds: tuple[Second, ...]
    name: str = "clock"
    leaves_trace: bool = True
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes, with a window of the series to ask the time with."""
        ahead_s = min(profile.chaos.clock_ahead_s, profile.window.max_age_s / 2)
        return cls(ahead_s=ahead_s, hold_s=profile.chaos.shortage_s, seconds=tuple(series[: profile.window.records]))

    def launch(self, profile: Profile) -> Launch:
        """Give the container a clock that can be set; raise `OutOfReach` where this machine has none to give."""
        library = find_library()
        if library is None:
            msg = f"this machine has no {PACKAGE} to set a clock with: `apt-get install {PACKAGE}` brings it"
            raise OutOfReach(msg)
        if not (address := Machine().engine_address()).startswith("unix:"):
            msg = f"nothing of this machine can be mounted into a container of the engine at {address}"
            raise OutOfReach(msg)
        clock, plain = Clock.made_with(library), default_launch(profile)
        return replace(plain, environment=clock.environment, volumes=clock.volumes)

    def why_not(self, sut: Sut) -> str | None:
        """Say why its clock cannot be set."""
        try:
            sut.wait_ready()
            if is_loaded_by_all(sut):
                return None
        except OutOfReach as error:
            return str(error)
        except (SutLost, WaitedInVain) as error:
            return f"{sut.image} does not get ready with {PACKAGE} preloaded: {error}"
        return f"not every process of {sut.image} can have {PACKAGE} preloaded"

    def inject(self, sut: Sut) -> Struck:
        """Set it ahead."""
        at_s = time.monotonic()
        Clock.of(sut).set(ahead_s=self.ahead_s)
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that a window which is good by the true clock is not served, being too old by the container's."""
        del before
        if not sut.state().is_up:
            return "the container is down"
        found = self._asked(sut)
        return None if found == _OK else self._told(sut, found)

    def revert(self, sut: Sut) -> None:
        """Set it right."""
        Clock.of(sut).set(ahead_s=0)

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that it is right, and what becomes of the same window."""
        del before
        if Clock.of(sut).ahead_s:
            return None
        return self._told(sut, self._asked(sut)) if sut.state().is_up else "the container is down"

    def mend(self, sut: Sut) -> str:
        """Return the command that sets it right."""
        return f"docker rm --force {sut.name}"

    def _told(self, sut: Sut, status: int | None) -> str:
        return f"a window that is {self._age_s(sut):g} s old gets {status or 'no answer'}"

    def _age_s(self, sut: Sut) -> float:
        return sut.profile.window.max_age_s - self.ahead_s / 2

    def _asked(self, sut: Sut) -> int | None:
        """Send a window whose age lies between the two clocks' limits, and return the status; None: no answer."""
        profile = sut.profile
        end_ns = last_whole_second_ns(time.time()) - round(self._age_s(sut) * SECOND_NS)
        window = build(profile.window, self.seconds, end_ns=end_ns)
        headers = {"Content-Type": content_type(profile.window), "Connection": "close"}
        body = encode(profile.window, window)
        client = Client(sut.url, profile)
        try:
            request = Request(method="POST", path=profile.http.invocations_path, headers=headers, body=body)
            return client.send(request, timeout_s=profile.http.ping_s).answer.status
        except NoAnswer:
            return None
        finally:
            client.close()
