"""Stop the container with SIGTERM under load, while requests are half sent: it must answer them, and only them."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.contract.records import build, encode, last_whole_second_ns
from harness.faults.attempt import Attempt, Question
from harness.faults.fault import Expectation, Struck
from harness.faults.half_sent import HalfSent, Part, send_half
from harness.system.waiting import WaitedInVain, sleep_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import State, Sut

# What was sent when the signal comes, and how many seconds after the signal the rest follows.
_HELD: tuple[tuple[Part, float], ...] = (
    ("all but the last byte", 0.02),
    ("all but the last byte", 0.3),
    ("half of the body", 0.02),
    ("half of the body", 1.5),
    ("headers", 1.0),
    ("first bytes", 0.5),
    ("headers", 3.5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """SIGTERM with `held` requests in flight; `settle_s` is granted to the sut to take them before the signal comes."""

    seconds: tuple[Second, ...]
    expects: Expectation
    settle_s: float
    held: tuple[tuple[Part, float], ...] = _HELD
    name: str = "stop"
    leaves_trace: bool = True
    hold_s: float = 0.0

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes, with a window of the series to send."""
        expects = Expectation(
            exits="must",
            exit_rule="C12",
            exit_codes=(0,),
            exit_within_s=profile.container.stop_s,
            drains=True,
            recovery_rule="C4",
        )
        seconds = tuple(series[: profile.window.records])
        return cls(seconds=seconds, expects=expects, settle_s=2 * profile.http.accept_s)

    def inject(self, sut: Sut) -> Struck:
        """Send the first halves, the signal, then the rest of each; return when the container exited or ran late."""
        halves = self._halves(sut)
        sleep_until(time.monotonic() + self.settle_s)
        at_s = time.monotonic()
        sut.container.kill(signal="SIGTERM")
        attempts = self._finish(halves, since_s=at_s)
        left_s = at_s + sut.profile.container.stop_s - time.monotonic()
        with contextlib.suppress(WaitedInVain):
            sut.wait_exited(budget_s=max(left_s, 0.0))
        return Struck(at_s=at_s, attempts=attempts)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Say how the container is: Docker delivered the signal, and may have no more to show."""
        del before
        state = sut.state()
        return f"SIGTERM delivered, {state.status}, exit code {state.exit_code}"

    def revert(self, sut: Sut) -> None:
        """Start the same container again, after killing it where it ignored the signal."""
        if sut.state().is_up:
            sut.container.kill()
            sut.wait_exited(budget_s=sut.profile.container.stop_s)
        sut.start_again()

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that the container was started anew."""
        state = sut.state()
        return f"started anew, {state.status}" if state.started_at != before.started_at else None

    def mend(self, sut: Sut) -> str:
        """Return the command that starts it."""
        return f"docker restart {sut.name}"

    def _halves(self, sut: Sut) -> list[HalfSent]:
        rule, url = sut.profile.window, sut.url
        window = build(rule, self.seconds, end_ns=last_whole_second_ns(time.time()))
        question = Question(asked="in_flight", body=encode(rule, window), window=window)
        return [
            send_half(url, sut.profile, question, part=part, request_id=f"{part.replace(' ', '-')}-sent-{number}")
            for number, (part, _) in enumerate(self.held, start=1)
        ]

    def _finish(self, halves: list[HalfSent], *, since_s: float) -> tuple[Attempt, ...]:
        with ThreadPoolExecutor(max_workers=len(halves)) as pool:
            ends = [
                pool.submit(half.finish, due_s=since_s + after_s)
                for half, (_, after_s) in zip(halves, self.held, strict=True)
            ]
            return tuple(end.result() for end in ends)
