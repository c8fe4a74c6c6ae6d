"""C2, C3, C4, C16: the container listens, gets ready, and its ping tells the truth."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from harness.contract.judge import OK, Violation, demand, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.system.client import Client

pytestmark = pytest.mark.contract


@pytest.mark.rule("C2", "C3", "C4")
def test_ping_is_200_once_ready(client: Client) -> None:
    """GET /ping MUST be 200 while an invocation can be answered."""
    exchange = client.ping()
    wrong = Violation(rule="C3", expected="200 to a ping of a ready container", actual=shown(exchange.answer))
    demand([wrong] if exchange.answer.status != OK else [], exchange)


@pytest.mark.rule("C3")
def test_ping_means_that_invocations_are_answered(client: Client, fresh_window: Callable[[], Window]) -> None:
    """GET /ping MUST be 200 only while the container can answer an invocation."""
    for _ in range(5):
        ping, invocation = client.ping(), client.predict(fresh_window())
        agree = (ping.answer.status == OK) == (invocation.answer.status == OK)
        actual = f"ping {ping.answer.status}, invocation {shown(invocation.answer)}"
        wrong = Violation(rule="C3", expected="ping and invocation to agree", actual=actual)
        demand([] if agree else [wrong], invocation)


@pytest.mark.rule("C3")
def test_ping_is_answered_in_time(client: Client, profile: Profile) -> None:
    """GET /ping MUST be answered within 2 s."""
    slowest = max((client.ping(timeout_s=profile.http.hang_s) for _ in range(20)), key=lambda e: e.answer.elapsed_s)
    limit_s = profile.http.ping_s
    wrong = Violation(
        rule="C3", expected=f"an answer to a ping within {limit_s:g} s", actual=f"{slowest.answer.elapsed_s:.2f} s"
    )
    demand([] if slowest.answer.elapsed_s <= limit_s else [wrong], slowest)


@pytest.mark.rule("C16")
def test_connections_are_accepted_at_once(sut_url: str, profile: Profile) -> None:
    """Connections MUST be accepted within 250 ms while it runs."""
    address = urlsplit(sut_url)
    where = (address.hostname or "", address.port or (443 if address.scheme == "https" else 80))
    limit_s = profile.http.accept_s
    for _ in range(20):
        began_s = time.perf_counter()
        socket.create_connection(where, timeout=profile.http.hang_s).close()
        took_s = time.perf_counter() - began_s
        wrong = Violation(rule="C16", expected=f"a connection within {limit_s:g} s", actual=f"{took_s:.3f} s")
        demand([] if took_s <= limit_s else [wrong])
