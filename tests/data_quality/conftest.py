"""Sending what is meant to be good, and counting it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import pytest

from harness.contract.data_rules import broken_rules

if TYPE_CHECKING:
    from harness.contract.profile import Profile
    from harness.contract.records import Codec, Window
    from harness.contract.vacuity import Tally
    from harness.system.client import Client, Exchange


class SendGood(Protocol):
    """Sends a window that is meant to be good."""

    def __call__(self, window: Window, codec: Codec = "json") -> Exchange:
        """Return the exchange."""


def skip_where_implausible(profile: Profile, window: Window) -> None:
    """Skip a check whose prices would leave the range that the profile calls plausible."""
    if "D11" in broken_rules(profile.window, window, now_s=time.time()):
        pytest.skip("so far a price cannot move within what this profile calls plausible")


@pytest.fixture
def send_good(client: Client, tally: Tally) -> SendGood:
    """Send a window that is meant to be good, and count whether it was answered."""

    def send(window: Window, codec: Codec = "json") -> Exchange:
        exchange = client.predict(window, codec)
        tally.note_good(exchange.answer.status)
        return exchange

    return send
