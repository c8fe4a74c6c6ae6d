"""The terminal in Slack's place: shows the message as it would look, and what is well again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.alerts.content import message_of, well_again
from harness.alerts.delivery import Receipt
from harness.alerts.message import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.alerts.outbox import Parcel, Unsettled
    from harness.system.waiting import Clock

    MaySend = Callable[[], bool]

_SHOWN = Receipt(state="told", detail="shown", channel_id="terminal", ts="terminal")


class Terminal:
    """Shows what would have been sent; what it showed it cannot change."""

    channel_id = None

    def __init__(self, *, why: str, channel: str, say: Callable[[str], None], clock: Clock) -> None:
        self._why = why
        self._channel = channel
        self._say = say
        self._clock = clock

    def post(self, parcel: Parcel, may_send: MaySend) -> Receipt:
        """Show a message."""
        if not may_send():
            return Receipt(state="failed", detail="another run took it over")
        self._say(f"alerts: {self._why}; this would have been sent to #{self._channel}:")
        for line in plain(message_of(parcel, now=self._clock.now(), is_posted=False)).splitlines():
            self._say(f"  {line}".rstrip())
        return _SHOWN

    def reply(self, parcel: Parcel, may_send: MaySend) -> Receipt:
        """Show what is well again."""
        if may_send():
            for line in well_again(parcel.conditions).splitlines():
                self._say(f"alerts: {line}")
        return _SHOWN

    def update(self, parcel: Parcel) -> Receipt:
        """Leave what was shown as it is."""
        del parcel
        return _SHOWN

    def look_up(self, earlier: Unsettled) -> str | None:
        """Take what was cut short for not shown: a terminal can be asked nothing, and showing it twice harms nobody."""
        del earlier
        return None
