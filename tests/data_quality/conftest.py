"""Sending what is meant to be good, and counting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from harness.contract.records import Codec, Window
    from harness.contract.vacuity import Tally
    from harness.system.client import Client, Exchange


class SendGood(Protocol):
    """Sends a window that is meant to be good."""

    def __call__(self, window: Window, codec: Codec = "json") -> Exchange:
        """Return the exchange."""


@pytest.fixture
def send_good(client: Client, tally: Tally) -> SendGood:
    """Send a window that is meant to be good, and count whether it was answered."""

    def send(window: Window, codec: Codec = "json") -> Exchange:
        exchange = client.predict(window, codec)
        tally.note_good(exchange.answer.status)
        return exchange

    return send
