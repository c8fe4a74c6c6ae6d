"""A crowd of clients that misbehave at the same time: an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

_CONNECT_S = 5.0
_LEAVE_S = 10.0
_HTTP_PORT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One connection of one client: `number` is the client's, `turn` counts its visits from 0."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    turn: int

    async def send(self, *parts: bytes) -> None:
        """Send bytes; raises OSError where the server has closed."""
        self.writer.write(b"".join(parts))
        await self.writer.drain()

    async def until_closed(self) -> None:
        """Read, and forget what was read, until the server closes."""
        while await self.reader.read(1 << 16):
            pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a crowd behaves: `size` clients, each of which comes every `period_s` seconds, or once its visit has ended.

    `behave` is one visit; it lasts until it returns, or until the server ends the connection.
    """

    size: int
    period_s: float
    behave: Callable[[Visit], Awaitable[None]]


class Crowd:
    """Clients at one base URL or several, from `come` until `leave`."""

    def __init__(self, urls: Sequence[str], manner: Manner) -> None:
        """Take base URLs of plain HTTP, one client after the other the next of them, and how to behave."""
        places = [urlsplit(url) for url in urls]
        self._places = [(place.hostname or "", place.port or _HTTP_PORT) for place in places]
        self._manner = manner
        self._patience_s = 0.0
        self._counts: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)

    def come(self) -> None:
        """Begin."""
        self._thread.start()

    def leave(self, *, patience_s: float = 0.0) -> None:
        """Let nobody come anew, end what visits still last after a while, and wait until the last client is gone."""
        if self._thread.is_alive():
            self._patience_s = patience_s
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(patience_s + _LEAVE_S)

    @property
    def is_gone(self) -> bool:
        """Whether no client is left."""
        return not self._thread.is_alive()

    @property
    def is_all_there(self) -> bool:
        """Whether each client has come once, or was turned away at the door, and at least one got in."""
        return self._counts["came"] > 0 and self._counts["came"] + self._counts["not let in"] >= self._manner.size

    def story(self) -> str:
        """Count what became of the visits, in words."""
        told = ", ".join(f"{number} {what}" for what, number in self._counts.items())
        return f"{self._manner.size} clients: {told or 'nobody came'}"

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._all())
        finally:
            self._loop.close()

    async def _all(self) -> None:
        clients = [asyncio.ensure_future(self._client(number)) for number in range(self._manner.size)]
        await self._stop.wait()
        await asyncio.wait(clients, timeout=self._patience_s)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    async def _client(self, number: int) -> None:
        """Come again and again, on a schedule of one's own: a slow visit delays the next, and nobody else's."""
        period_s = self._manner.period_s
        due_s = self._loop.time() + period_s * number / self._manner.size
        turn = 0
        while not await self._leaves_before(due_s):
            await self._visit(number, turn)
            turn += 1
            due_s = max(due_s + period_s, self._loop.time())

    async def _leaves_before(self, due_s: float) -> bool:
        """Wait until a moment, or until the crowd leaves; return whether it does."""
        try:
            async with asyncio.timeout_at(due_s):
                await self._stop.wait()
        except TimeoutError:
            return False
        return True

    async def _visit(self, number: int, turn: int) -> None:
        try:
            async with asyncio.timeout(_CONNECT_S):
                reader, writer = await asyncio.open_connection(*self._places[number % len(self._places)])
        except OSError:  # TimeoutError is one
            self._counts["not let in"] += 1
            return
        self._counts["came"] += 1
        try:
            await self._manner.behave(Visit(reader=reader, writer=writer, number=number, turn=turn))
        except OSError:
            self._counts["turned away"] += 1
        else:
            self._counts["done"] += 1
        finally:
            writer.transport.abort()
