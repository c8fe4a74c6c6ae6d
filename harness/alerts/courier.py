"""The courier empties the outbox: settles what was cut short, posts, brings messages up to date, tells recoveries."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from harness.alerts.delivery import Receipt
from harness.alerts.history import Unreadable
from harness.alerts.outbox import Ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.alerts.alert import Headline
    from harness.alerts.outbox import Outbox, Parcel, Unsettled
    from harness.alerts.retry import Budget
    from harness.system.waiting import Clock

    MaySend = Callable[[], bool]

_LOOK_UPS_MAX = 5


class Sink(Protocol):
    """Where alerts are told: a Slack channel, through a bot or a webhook, or the terminal."""

    @property
    def channel_id(self) -> str | None:
        """Slack's ID of the channel, where it is known."""
        ...

    def post(self, parcel: Parcel, may_send: MaySend) -> Receipt:
        """Post a message; `may_send` is asked before each attempt."""
        ...

    def reply(self, parcel: Parcel, may_send: MaySend) -> Receipt:
        """Post a line under a message, likewise."""
        ...

    def update(self, parcel: Parcel) -> Receipt:
        """Make a message say how things stand."""
        ...

    def look_up(self, earlier: Unsettled) -> str | None:
        """Return the `ts` of what was perhaps accepted, None where it was not. Raises Unreadable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round of the courier did: each post with its receipt, messages brought up to date, recoveries told."""

    posts: tuple[tuple[Parcel, Receipt], ...] = ()
    updates: tuple[Receipt, ...] = ()
    recoveries: tuple[Receipt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """One process's way from the outbox to a sink; `name` is the sink's in the ledger."""

    outbox: Outbox
    sink: Sink
    name: str
    clock: Clock
    budget: Budget
    say: Callable[[str], None]

    def deliver(self, *, storm_keys: int, notes: Callable[[Headline], tuple[str, ...]]) -> Round:
        """Tell what is to be told; each step is committed before and after, and an outage leaves the rest for later."""
        self._settle_earlier()
        posts = self.outbox.claim(self.name, self.clock.now(), storm_keys=storm_keys, notes=notes)
        done = Round(posts=tuple((parcel, self._deliver(parcel, self.sink.post)) for parcel in posts))
        # From here on an error of the ledger must not get out: messages are out, and would be sent again.
        try:
            updates = self.outbox.outdated(self.name, self.clock.now(), most=self.budget.updates)
            done = replace(done, updates=tuple(self._update(parcel) for parcel in updates))
            lines = self.outbox.claim_recoveries(self.name, self.clock.now())
            return replace(done, recoveries=tuple(self._deliver(parcel, self.sink.reply) for parcel in lines))
        except sqlite3.Error as error:
            self.say(f"alerts: earlier messages could not be brought up to date ({error})")
        return done

    def _settle_earlier(self) -> None:
        """Find out about deliveries that were cut short: a crash, or a connection that broke after it was read."""
        for earlier in self.outbox.unsettled(self.name, self.clock.now())[:_LOOK_UPS_MAX]:
            try:
                ts = self.sink.look_up(earlier)
            except Unreadable as error:
                if not error.for_good:
                    self.say(f"alerts: an earlier message may have been sent, {error}: it waits until it can be seen")
                    return
                self.say(f"alerts: an earlier message may have been sent, {error}: counted as sent")
                ts = ""
            self.outbox.settle(earlier.id, self._ending(earlier, ts), self.clock.now())

    def _ending(self, earlier: Unsettled, ts: str | None) -> Ending:
        if ts is None:
            return Ending(state="failed")
        # It was accepted at the latest when the time-box of the run that sent it ended.
        accepted_at = earlier.at + self.budget.total_s
        return Ending(state="told", at=accepted_at, channel_id=self.sink.channel_id, ts=ts or None)

    def _deliver(self, parcel: Parcel, send: Callable[[Parcel, MaySend], Receipt]) -> Receipt:
        receipt = send(parcel, lambda: self._may_send(parcel))
        # A thread that is gone takes no line: there is nobody left to be told.
        state = "told" if receipt.state == "gone" else receipt.state
        ending = Ending(state=state, channel_id=receipt.channel_id, ts=receipt.ts)
        try:
            self.outbox.settle(parcel.id, ending, self.clock.now())
        except sqlite3.Error as error:
            self.say(f"alerts: the ledger could not record the delivery ({error}): the next run finds out")
        return receipt

    def _may_send(self, parcel: Parcel) -> bool:
        try:
            return self.outbox.attempt(parcel.id, self.clock.now())
        except sqlite3.Error:
            return True  # the ledger broke after the claim: better told than lost

    def _update(self, parcel: Parcel) -> Receipt:
        if not self.outbox.hold(parcel.id, self.clock.now()):
            return Receipt(state="failed", detail="another run has it in hand")
        receipt = self.sink.update(parcel)
        if receipt.state in ("told", "gone"):
            self.outbox.shown(parcel, self.clock.now(), is_final=receipt.state == "gone")
        else:
            self.outbox.let_go(parcel.id, self.clock.now())
        return receipt
