"""A link: one direction of one connection through the proxy, as a trouble works on it, and what is counted there."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
from dataclasses import dataclass, field

_READ_BYTES = 1 << 16
_COUNT = struct.Struct("i")


@dataclass(slots=True, kw_only=True)
class Tally:
    """What happened in one direction, over all connections of a door; `bites` is how often the trouble did its harm.

    `unread_bytes` wait in the kernel because nobody reads them; `least_held_s` and `most_held_s` are how long something
    was held up, where something was.
    """

    connections: int = 0
    passed_bytes: int = 0
    swallowed_bytes: int = 0
    unread_bytes: int = 0
    bites: int = 0
    least_held_s: float | None = None
    most_held_s: float | None = None


@dataclass(slots=True, eq=False)
class Wire:
    """What the two directions of a connection share: whether one end of it is gone without a word."""

    is_lost: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Link:
    """Reads from one socket and writes to another; a reset is an OSError, which ends the connection in both directions.

    Once the wire is lost nothing comes out of it any more: neither bytes, nor an end, nor a reset.
    """

    source: socket.socket
    sink: socket.socket
    wire: Wire
    tally: Tally
    number: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def __post_init__(self) -> None:
        self.tally.connections += 1

    async def read(self, most_bytes: int = _READ_BYTES) -> bytes:
        """Return what has come, b"" at the end. Raises OSError at a reset."""
        try:
            return await self._loop.sock_recv(self.source, most_bytes)
        except OSError:
            if self.wire.is_lost:
                return b""
            raise

    async def write(self, content: bytes) -> None:
        """Pass bytes on. Raises OSError where nobody takes them any more."""
        if self.wire.is_lost:
            self.tally.swallowed_bytes += len(content)
            return
        await self._loop.sock_sendall(self.sink, content)
        self.tally.passed_bytes += len(content)

    def end(self) -> None:
        """Say that nothing more comes in this direction."""
        if not self.wire.is_lost:
            with contextlib.suppress(OSError):  # the other side may be gone already
                self.sink.shutdown(socket.SHUT_WR)

    async def pass_all(self) -> None:
        """Pass on whatever comes, without its end."""
        while content := await self.read():
            await self.write(content)

    async def pass_first(self, count: int) -> bool:
        """Pass on so many bytes and no more; return whether as many came."""
        left = count
        while left and (content := await self.read(min(left, _READ_BYTES))):
            await self.write(content)
            left -= len(content)
        return not left

    async def swallow(self) -> None:
        """Read whatever comes, until its end, and pass nothing on."""
        while content := await self.read():
            self.tally.swallowed_bytes += len(content)

    def bite(self, held_s: float | None = None) -> None:
        """Count that the trouble did its harm, and for how long it held something up."""
        tally = self.tally
        tally.bites += 1
        if held_s is not None:
            tally.least_held_s = held_s if tally.least_held_s is None else min(tally.least_held_s, held_s)
            tally.most_held_s = held_s if tally.most_held_s is None else max(tally.most_held_s, held_s)

    @property
    def unread_bytes(self) -> int:
        """How many bytes have come that nobody has read."""
        found = fcntl.ioctl(self.source, termios.FIONREAD, _COUNT.pack(0))
        return int(_COUNT.unpack(found)[0])
