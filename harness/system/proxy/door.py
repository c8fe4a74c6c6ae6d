"""A door of the proxy: a port of the loopback address, and the trouble that whoever comes through it meets."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.system.proxy.link import Link, Tally, Wire

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from harness.system.proxy.troubles import Trouble

_LOOPBACK = "127.0.0.1"
_WAITING_MOST = 512
_CONNECT_S = 5.0
# A small socket takes a few small packets; with packets as large as the loopback's its window would never open again.
_SMALL_BYTES, _SMALL_PACKET_BYTES = 4_096, 1_400
# On, and no time to linger: closing resets.
_RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True, kw_only=True, eq=False)
class Door:
    """Connects each client that comes in with `upstream`; `to_sut` and `to_client` are the troubles on the way."""

    upstream: tuple[str, int]
    to_sut: Trouble
    to_client: Trouble
    unreachable: int = 0
    _tallies: tuple[Tally, Tally] = field(default_factory=lambda: (Tally(), Tally()))
    _links: set[tuple[Link, Link]] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def open(self) -> int:
        """Let clients in from now on and return the port."""
        listener = _socket(is_small=self.to_sut.fills_up)
        listener.bind((_LOOPBACK, 0))
        listener.listen(_WAITING_MOST)
        self._begin(self._let_in(listener))
        return int(listener.getsockname()[1])

    def tell(self) -> tuple[Tally, Tally]:
        """Return what was counted towards the sut, and towards the client."""
        there, back = self._tallies
        return (
            replace(there, unread_bytes=sum(one.unread_bytes for one, _ in self._links)),
            replace(back, unread_bytes=sum(other.unread_bytes for _, other in self._links)),
        )

    async def close(self) -> None:
        """End all connections and let nobody in any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _let_in(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                client, _ = await loop.sock_accept(listener)
                self._begin(self._connect(client))

    async def _connect(self, client: socket.socket) -> None:
        """Connect a client; where the sut cannot be reached it meets a reset."""
        sut = _socket(is_small=self.to_client.fills_up)
        with client, sut:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                async with asyncio.timeout(_CONNECT_S):
                    await asyncio.get_running_loop().sock_connect(sut, self.upstream)
            except OSError:  # TimeoutError is one
                self.unreachable += 1
                is_reset = True
            else:
                is_reset = await self._carry(client, sut)
            if is_reset:
                for end in (client, sut):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    async def _carry(self, client: socket.socket, sut: socket.socket) -> bool:
        """Carry both directions until both have ended; return whether a reset ended them."""
        wire, number, (there, back) = Wire(), next(self._numbers), self._tallies
        links = (
            Link(source=client, sink=sut, wire=wire, tally=there, number=number),
            Link(source=sut, sink=client, wire=wire, tally=back, number=number),
        )
        self._links.add(links)
        is_reset = False
        try:
            async with asyncio.TaskGroup() as directions:
                directions.create_task(self.to_sut.carry(links[0]))
                directions.create_task(self.to_client.carry(links[1]))
        except* OSError:
            is_reset = True
        finally:
            self._links.discard(links)
        return is_reset


def _socket(*, is_small: bool) -> socket.socket:
    """Make a socket; a small one takes next to nothing that nobody reads."""
    made = socket.socket()
    made.settimeout(0.0)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if is_small:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BYTES)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SMALL_PACKET_BYTES)
    return made
