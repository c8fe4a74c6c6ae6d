"""Set the container's clock ahead while it runs, and back again, as a machine does that finds its time server late."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
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
    from harness.system.client import Answer
    from harness.system.container import Launch, State, Sut

_OK = 200
# `Date` is told in whole seconds (RFC 9110, 6.6.1), and servers write it anew once a second.
_DATE_COARSE_S = 2.0
# Windows stay good by either clock: whoever has one refused, or not served, has noticed, of the way back as well.
_EXPECTS = Expectation(exits="never", undisturbed=True, seamless=True, notice_rule="R1", recovery_rule="R1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAhead:
    """A clock that is `ahead_s` seconds ahead for `hold_s` seconds: less than makes a fresh window too old."""

    ahead_s: float
    hold_s: float
    max_age_s: float
    seconds: tuple[Second, ...]
    name: str = "clock"
    leaves_trace: bool = True
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes, with a window of the series to ask the time with."""
        max_age_s = profile.window.max_age_s
        return cls(
            ahead_s=min(profile.chaos.clock_ahead_s, max_age_s / 2),
            hold_s=profile.chaos.shortage_s,
            max_age_s=max_age_s,
            seconds=tuple(series[: profile.window.records]),
        )

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
            if not is_loaded_by_all(sut):
                return f"not every process of {sut.image} can have {PACKAGE} preloaded"
            return self._why_unseen(sut)
        except OutOfReach as error:
            return str(error)
        except (SutLost, WaitedInVain) as error:
            return f"{sut.image} does not get ready with {PACKAGE} preloaded: {error}"

    def inject(self, sut: Sut) -> Struck:
        """Set it ahead."""
        at_s = time.monotonic()
        Clock.of(sut).set(ahead_s=self.ahead_s)
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that its answers are of another time: a window good by the true clock is too old, or `Date` is ahead."""
        del before
        if not sut.state().is_up:
            return "the container is down"
        answer = self._asked(sut)
        is_served = answer is not None and answer.status == _OK
        return self._told(answer) if not is_served or self._is_ahead(answer) else None

    def revert(self, sut: Sut) -> None:
        """Set it right."""
        Clock.of(sut).set(ahead_s=0)

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that it is right, and what becomes of the same window."""
        del before
        if Clock.of(sut).ahead_s:
            return None
        return self._told(self._asked(sut)) if sut.state().is_up else "the container is down"

    def mend(self, sut: Sut) -> str:
        """Return the command that sets it right."""
        return f"docker rm --force {sut.name}"

    def _why_unseen(self, sut: Sut) -> str | None:
        """Say why nothing that it answers would show its clock."""
        if "D9" not in sut.profile.waived:
            return None
        if self.ahead_s <= 2 * _DATE_COARSE_S:
            return f"D9 is waived, and `Date` is too coarse to tell a clock that is {self.ahead_s:g} s ahead"
        if _date_ahead_s(self._asked(sut)) is None:
            return "nothing in its answers tells its clock: D9 is waived, and they have no `Date`"
        return None

    @property
    def _age_s(self) -> float:
        return self.max_age_s - self.ahead_s / 2

    def _is_ahead(self, answer: Answer | None) -> bool:
        date_ahead_s = _date_ahead_s(answer)
        return date_ahead_s is not None and date_ahead_s > max(self.ahead_s / 2, _DATE_COARSE_S)

    def _told(self, answer: Answer | None) -> str:
        date_ahead_s = _date_ahead_s(answer)
        date = "" if date_ahead_s is None else f", its `Date` {date_ahead_s:+.0f} s from ours"
        return f"a window that is {self._age_s:g} s old gets {answer.status if answer else 'no answer'}{date}"

    def _asked(self, sut: Sut) -> Answer | None:
        """Send a window whose age lies between the two clocks' limits, and return the answer; None: there is none."""
        profile = sut.profile
        end_ns = last_whole_second_ns(time.time()) - round(self._age_s * SECOND_NS)
        window = build(profile.window, self.seconds, end_ns=end_ns)
        headers = {"Content-Type": content_type(profile.window), "Connection": "close"}
        body = encode(profile.window, window)
        client = Client(sut.url, profile)
        try:
            request = Request(method="POST", path=profile.http.invocations_path, headers=headers, body=body)
            return client.send(request, timeout_s=profile.http.ping_s).answer
        except NoAnswer:
            return None
        finally:
            client.close()


def _date_ahead_s(answer: Answer | None) -> float | None:
    """Return by how many seconds an answer's `Date` is ahead of this machine's clock; None without one."""
    try:
        return parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time() if answer else None
    except (KeyError, ValueError):
        return None
