"""The proxy and its troubles, over real sockets: what each does, in both directions, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from harness.system.proxy.door import Door
from harness.system.proxy.proxy import Proxy, ProxyLost, Told, Way
from harness.system.proxy.troubles import (
    Bandwidth,
    BlackHole,
    Clear,
    Cut,
    Delay,
    HalfOpen,
    Jitter,
    Reset,
    SlowClose,
    Trouble,
    from_order,
    to_order,
)
from harness.system.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.system.proxy.link import Tally

Direction = Literal["to_sut", "to_client"]
BOTH = pytest.mark.parametrize("direction", ["to_sut", "to_client"])
CONTENT = bytes(range(256)) * 40
DELAY_S = 0.15
# So long is waited for what must not come.
SILENCE_S = 0.2
SLACK_S = 0.5


class Ground:
    """A listening socket in the sut's place, and a proxy before it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.proxy = Proxy(("127.0.0.1", self.listener.getsockname()[1]))
        self.doors = 0

    @contextmanager
    def ends(self, trouble: Trouble, direction: Direction, *, small: bool = False) -> Iterator[Ends]:
        """Connect through a door with one trouble; `small` makes the sender's buffer small."""
        port = self.proxy.open(Way(to_sut=trouble) if direction == "to_sut" else Way(to_client=trouble))
        self.doors += 1
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            sut, _ = self.listener.accept()
            with sut:
                sut.settimeout(5)
                sender, receiver = (client, sut) if direction == "to_sut" else (sut, client)
                if small:
                    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
                ends = Ends(self, self.doors - 1, direction, sender, receiver)
                wait_for(lambda: ends.tally.connections or None, subject="the proxy to connect", budget_s=5)
                yield ends

    def told(self, door: int) -> Told:
        """Ask what a door counted."""
        return self.proxy.tell()[door]


class Ends:
    """Both ends of a connection: who sends into the trouble, and who receives what is left."""

    def __init__(
        self, ground: Ground, door: int, direction: Direction, sender: socket.socket, receiver: socket.socket
    ) -> None:
        self._ground, self._door, self._direction = ground, door, direction
        self.sender, self.receiver = sender, receiver

    @property
    def tally(self) -> Tally:
        """What was counted in the direction of the trouble."""
        told = self._ground.told(self._door)
        return told.to_sut if self._direction == "to_sut" else told.to_client

    def hears_nothing(self) -> bool:
        """Whether neither bytes nor an end come to the receiver for a while."""
        self.receiver.settimeout(SILENCE_S)
        try:
            self.receiver.recv(1)
        except TimeoutError:
            return True
        finally:
            self.receiver.settimeout(5)
        return False


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    made.proxy.end()
    made.listener.close()


def read(end: socket.socket, count: int) -> bytes:
    """Read so many bytes, or until the end."""
    came = b""
    while len(came) < count and (block := end.recv(count - len(came))):
        came += block
    return came


def send_what_is_taken(end: socket.socket) -> int:
    """Send without waiting until nothing more is taken, and return how much was."""
    end.settimeout(0.0)
    sent = 0
    while sent < 10_000_000:
        try:
            sent += end.send(bytes(1_000))
        except BlockingIOError:
            break
    end.settimeout(5)
    return sent


def reset(end: socket.socket) -> None:
    """Close with a reset."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    end.close()


def meets_reset(end: socket.socket) -> bool:
    """Whether reading ends with a reset, as opposed to an end in order."""
    try:
        while end.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return False


@BOTH
def test_without_trouble_everything_passes_and_ends_in_order(ground: Ground, direction: Direction) -> None:
    with ground.ends(Clear(), direction) as ends:
        ends.sender.sendall(CONTENT)
        assert read(ends.receiver, len(CONTENT)) == CONTENT
        ends.sender.shutdown(socket.SHUT_WR)
        assert ends.receiver.recv(1) == b""
        ends.receiver.sendall(b"still heard")
        assert read(ends.sender, 11) == b"still heard"
        assert ends.tally.passed_bytes == len(CONTENT)


@BOTH
def test_a_reset_passes_as_a_reset(ground: Ground, direction: Direction) -> None:
    with ground.ends(Clear(), direction) as ends:
        reset(ends.sender)
        assert meets_reset(ends.receiver)


@BOTH
def test_a_delay_holds_bytes_and_their_end_up(ground: Ground, direction: Direction) -> None:
    with ground.ends(Delay(delay_s=DELAY_S), direction) as ends:
        sent_s = time.monotonic()
        ends.sender.sendall(CONTENT)
        assert ends.receiver.recv(1) == CONTENT[:1]
        assert DELAY_S <= time.monotonic() - sent_s < DELAY_S + SLACK_S
        assert read(ends.receiver, len(CONTENT) - 1) == CONTENT[1:]
        ended_s = time.monotonic()
        ends.sender.shutdown(socket.SHUT_WR)
        assert ends.receiver.recv(1) == b""
        assert time.monotonic() - ended_s >= DELAY_S
        assert (ends.tally.least_held_s or 0.0) >= DELAY_S


@BOTH
def test_a_delay_is_no_queue_and_leaves_the_other_direction_alone(ground: Ground, direction: Direction) -> None:
    with ground.ends(Delay(delay_s=DELAY_S), direction) as ends:
        sent_s = time.monotonic()
        for _ in range(10):
            ends.sender.sendall(b"piece")
            time.sleep(0.01)
        assert len(read(ends.receiver, 50)) == 50
        assert time.monotonic() - sent_s < 10 * DELAY_S
        back_s = time.monotonic()
        ends.receiver.sendall(b"back")
        assert read(ends.sender, 4) == b"back"
        assert time.monotonic() - back_s < DELAY_S


@BOTH
def test_a_delay_delays_a_reset_too(ground: Ground, direction: Direction) -> None:
    with ground.ends(Delay(delay_s=DELAY_S), direction) as ends:
        reset_s = time.monotonic()
        reset(ends.sender)
        assert meets_reset(ends.receiver)
        assert time.monotonic() - reset_s >= DELAY_S


@BOTH
def test_jitter_makes_small_pieces_with_gaps_and_loses_nothing(ground: Ground, direction: Direction) -> None:
    with ground.ends(Jitter(piece_bytes=1_000, most_s=0.05), direction) as ends:
        ends.sender.sendall(CONTENT)
        ends.sender.shutdown(socket.SHUT_WR)
        came_s, pieces = [time.monotonic()], []
        while piece := ends.receiver.recv(65536):
            pieces.append(piece)
            came_s.append(time.monotonic())
        assert b"".join(pieces) == CONTENT
        assert len(pieces) >= 6
        gaps = [later - sooner for sooner, later in pairwise(came_s)]
        assert max(gaps) > 2 * min(gaps)
        assert ends.tally.bites == 11
        assert (ends.tally.most_held_s or 0.0) >= 0.02


@BOTH
def test_bandwidth_is_kept_and_the_sender_feels_it(ground: Ground, direction: Direction) -> None:
    with ground.ends(Bandwidth(bytes_per_s=20_000), direction, small=True) as ends:
        sent_s = time.monotonic()
        sent = send_what_is_taken(ends.sender)
        assert 5_000 < sent < 60_000
        assert len(read(ends.receiver, sent)) == sent
        due_s = sent / 20_000
        assert 0.95 * due_s <= time.monotonic() - sent_s < due_s + SLACK_S


@BOTH
def test_a_slow_close_is_known_late(ground: Ground, direction: Direction) -> None:
    with ground.ends(SlowClose(delay_s=DELAY_S), direction) as ends:
        sent_s = time.monotonic()
        ends.sender.sendall(CONTENT)
        ends.sender.shutdown(socket.SHUT_WR)
        assert read(ends.receiver, len(CONTENT)) == CONTENT
        assert time.monotonic() - sent_s < DELAY_S
        assert ends.receiver.recv(1) == b""
        assert DELAY_S <= time.monotonic() - sent_s < DELAY_S + SLACK_S
        assert ends.tally.bites == 1


@BOTH
def test_a_reset_comes_after_exactly_so_many_bytes_to_both_ends(ground: Ground, direction: Direction) -> None:
    with ground.ends(Reset(after_bytes=100), direction) as ends:
        ends.sender.sendall(CONTENT)
        assert meets_reset(ends.sender)
        assert meets_reset(ends.receiver)
        assert (ends.tally.passed_bytes, ends.tally.bites) == (100, 1)


@BOTH
def test_a_reset_waits_for_its_bytes(ground: Ground, direction: Direction) -> None:
    with ground.ends(Reset(after_bytes=100), direction) as ends:
        ends.sender.sendall(CONTENT[:99])
        assert read(ends.receiver, 99) == CONTENT[:99]
        ends.receiver.sendall(b"back")
        assert read(ends.sender, 4) == b"back"
        assert ends.tally.bites == 0
        ends.sender.shutdown(socket.SHUT_WR)
        assert ends.receiver.recv(1) == b""


@BOTH
def test_a_cut_passes_exactly_so_many_bytes_and_ends_in_order(ground: Ground, direction: Direction) -> None:
    with ground.ends(Cut(after_bytes=100), direction) as ends:
        ends.sender.sendall(CONTENT)
        assert read(ends.receiver, len(CONTENT)) == CONTENT[:100]
        ends.receiver.sendall(b"still heard")
        assert read(ends.sender, 11) == b"still heard"
        wait_for(lambda: ends.tally.swallowed_bytes == len(CONTENT) - 100 or None, subject="the rest to go", budget_s=2)


@BOTH
def test_a_half_open_connection_hears_and_says_nothing_more(ground: Ground, direction: Direction) -> None:
    with ground.ends(HalfOpen(after_bytes=100), direction) as ends:
        ends.sender.sendall(CONTENT)
        assert read(ends.receiver, 100) == CONTENT[:100]
        assert ends.hears_nothing()
        reset(ends.sender)
        assert ends.hears_nothing()
        for _ in range(20):
            ends.receiver.sendall(CONTENT)  # nobody takes it, and nobody says so
        assert ends.hears_nothing()
        assert ends.tally.passed_bytes == 100


@BOTH
def test_a_black_hole_takes_nothing_and_passes_nothing(ground: Ground, direction: Direction) -> None:
    with ground.ends(BlackHole(), direction, small=True) as ends:
        assert send_what_is_taken(ends.sender) < 60_000
        assert ends.hears_nothing()
        assert ends.tally.unread_bytes > 0
        assert ends.tally.passed_bytes == 0
        ends.receiver.sendall(b"back")
        assert read(ends.sender, 4) == b"back"


def test_a_sut_that_takes_no_connection_is_told_and_the_client_meets_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    proxy = Proxy(("127.0.0.1", port))
    try:
        with pytest.raises(ConnectionResetError):
            _connect_and_read(proxy.open(Way()))
        assert [told.unreachable for told in proxy.tell()] == [1]
    finally:
        proxy.end()


def _connect_and_read(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.recv(1)


@pytest.mark.parametrize(
    "trouble",
    [
        *(Clear(), Delay(delay_s=0.01), Jitter(piece_bytes=9, most_s=0.01), Bandwidth(bytes_per_s=9_000)),
        *(SlowClose(delay_s=0.01), Reset(after_bytes=3), Cut(after_bytes=3), HalfOpen(after_bytes=3), BlackHole()),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
@BOTH
def test_no_socket_and_no_task_outlives_its_connection(trouble: Trouble, direction: Direction) -> None:
    """A black hole keeps what it has until the door is closed; every other trouble lets go when both ends have."""
    asyncio.run(_come_and_go(trouble, direction))


async def _come_and_go(trouble: Trouble, direction: Direction) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        before, clear = _files(), Clear()
        way = (trouble, clear) if direction == "to_sut" else (clear, trouble)
        door = Door(upstream=listener.getsockname(), to_sut=way[0], to_client=way[1])
        port = door.open()
        for _ in range(5):
            await asyncio.to_thread(_visit, port, listener)
        if not isinstance(trouble, BlackHole):
            async with asyncio.timeout(5):
                while len(asyncio.all_tasks()) > 2:  # this one, and the door's own
                    await asyncio.to_thread(time.sleep, 0.01)
            assert _files() == before + 1
        await door.close()
        assert len(asyncio.all_tasks()) == 1
        assert _files() == before


def _visit(port: int, listener: socket.socket) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        sut, _ = listener.accept()
        with sut, suppress(ConnectionError):  # which a reset brings about
            client.sendall(b"there")
            sut.sendall(b"back")


def _files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_every_end_of_the_harness_ends_the_proxy() -> None:
    script = (
        "import time\nfrom harness.system.proxy.proxy import Proxy\n"
        "proxy = Proxy(('127.0.0.1', 9))\nprint(proxy.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        pid = int(harness.stdout.readline())
        os.kill(pid, 0)
        harness.send_signal(signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{pid}").exists() or None, subject="the proxy to end", budget_s=5)


def test_a_proxy_that_is_gone_says_so_and_ends_as_often_as_one_likes() -> None:
    proxy = Proxy(("127.0.0.1", 9))
    os.kill(proxy.pid, signal.SIGKILL)
    with pytest.raises(ProxyLost, match=r"does not answer|ended with -9"):
        proxy.tell()
    proxy.end()
    proxy.end()
    assert proxy.has_ended


@pytest.mark.parametrize(
    "trouble",
    [
        *(Clear(), Delay(delay_s=0.5), Jitter(piece_bytes=10, most_s=0.1), Bandwidth(bytes_per_s=1_000.0)),
        *(SlowClose(delay_s=1.0), Reset(after_bytes=1), Cut(after_bytes=2), HalfOpen(after_bytes=3), BlackHole()),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_a_trouble_is_a_value_that_an_order_carries(trouble: Trouble) -> None:
    assert from_order(to_order(trouble)) == trouble
