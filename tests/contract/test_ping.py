"""C2, C3, C4, C13, C16: the container listens, gets ready, and its ping tells the truth, under load too."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from harness.contract.judge import OK, Violation, demand, shown
from harness.contract.loading import judge_burst
from harness.system.client import NoAnswer, Request
from harness.system.starts import look

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.loading import Seen
    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.system.client import Client, Failure

pytestmark = pytest.mark.contract

AT_ONCE = 32
BURSTS = 3
CONNECTIONS, HICCUPS = 20, 1


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


@pytest.mark.rule("C3", "C10", "C13")
def test_ping_is_200_while_32_requests_come_at_once(
    sut_url: str, profile: Profile, fresh_window: Callable[[], Window]
) -> None:
    """GET /ping MUST be 200 within 2 s under load too, and what is too much MUST get a 503 with Retry-After."""
    for _ in range(BURSTS):
        demand(judge_burst(_burst(sut_url, profile, [fresh_window() for _ in range(AT_ONCE)]), profile))


@pytest.mark.rule("C16")
def test_connections_are_accepted_at_once(sut_url: str, profile: Profile) -> None:
    """Connections MUST be accepted within 250 ms while it runs."""
    address = urlsplit(sut_url)
    where = (address.hostname or "", address.port or (443 if address.scheme == "https" else 80))
    limit_s = profile.http.accept_s
    # One that takes longer may be this machine's doing: it counts where another does too.
    late = [took_s for _ in range(CONNECTIONS) if (took_s := _connecting_s(where, profile)) > limit_s]
    told = ", ".join(f"{took_s:.3f} s" for took_s in late)
    expected = f"connections within {limit_s:g} s"
    wrong = Violation(rule="C16", expected=expected, actual=f"{len(late)} of {CONNECTIONS} later: {told}")
    demand([wrong] if len(late) > HICCUPS else [])


def _burst(url: str, profile: Profile, windows: list[Window]) -> list[Seen]:
    """Send all windows at one moment, each over a connection of its own, and ping until all have come to an end."""
    together = Barrier(len(windows) + 1, timeout=profile.http.hang_s)

    def ask(window: Window) -> Seen:
        together.wait()
        return look(url, profile, window)

    with ThreadPoolExecutor(len(windows)) as pool:
        asked = [pool.submit(ask, window) for window in windows]
        together.wait()
        pings = [look(url, profile)]
        while not all(one.done() for one in asked):
            pings.append(look(url, profile))
        return [*pings, *(one.result() for one in asked)]


def _connecting_s(where: tuple[str, int], profile: Profile) -> float:
    """Open a connection and return how long that took; raise `NoAnswer` where it is refused."""
    began_s = time.perf_counter()
    refused: Failure = "refused"
    try:
        with suppress(TimeoutError):  # the time that it took says so
            socket.create_connection(where, timeout=profile.http.hang_s).close()
    except ConnectionError as error:
        ping = Request(method="GET", path=profile.http.ping_path)
        raise NoAnswer(refused, ping, time.perf_counter() - began_s, str(error)) from error
    return time.perf_counter() - began_s
