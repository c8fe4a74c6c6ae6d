"""The troubles: each is a value that says how bytes fare in one direction of a connection."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from harness.system.proxy.link import Link, Tally

_PIECES_AHEAD = 64
_TICK_S = 0.05


class Trouble(Protocol):
    """How bytes fare in one direction; `fills_up` says that the sender is to feel it, as one whose bytes nobody takes.

    Then the proxy takes no more into its buffers than it must.
    """

    fills_up: ClassVar[bool]

    async def carry(self, link: Link) -> None:
        """Carry what comes until it ends; raises OSError at a reset, which ends both directions."""

    def evidence(self, tally: Tally) -> str | None:
        """Say what shows that it did its harm; None where nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """No trouble."""

    fills_up: ClassVar[bool] = False

    async def carry(self, link: Link) -> None:
        """Pass everything on at once."""
        await link.pass_all()
        link.end()

    def evidence(self, tally: Tally) -> str | None:
        """Return None: there is no harm."""
        del tally
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Everything arrives so much later, ends and resets too; nothing waits for what came before it."""

    delay_s: float
    fills_up: ClassVar[bool] = False

    async def carry(self, link: Link) -> None:
        """Read ahead, and pass each piece on when it is due."""
        ahead: asyncio.Queue[tuple[float, bytes | OSError]] = asyncio.Queue(_PIECES_AHEAD)
        reading = asyncio.create_task(_read_ahead(link, ahead))
        try:
            while content := await self._next(link, ahead):
                await link.write(content)
            link.end()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _next(self, link: Link, ahead: asyncio.Queue[tuple[float, bytes | OSError]]) -> bytes:
        came_s, content = await ahead.get()
        await _sleep_until(came_s + self.delay_s)
        link.bite(time.monotonic() - came_s)
        if isinstance(content, OSError):
            raise content
        return content

    def evidence(self, tally: Tally) -> str | None:
        """Show that nothing came sooner."""
        is_late = (tally.least_held_s or 0.0) >= self.delay_s
        return f"{tally.bites} pieces came {_span(tally)} late" if is_late else None


async def _read_ahead(link: Link, ahead: asyncio.Queue[tuple[float, bytes | OSError]]) -> None:
    content: bytes | OSError = b" "
    while isinstance(content, bytes) and content:
        try:
            content = await link.read()
        except OSError as reset:
            content = reset
        await ahead.put((time.monotonic(), content))


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """Small pieces with gaps between them, each of another length, `most_s` at most."""

    piece_bytes: int
    most_s: float
    fills_up: ClassVar[bool] = False

    async def carry(self, link: Link) -> None:
        """Hold each piece for a while, the same whiles for the same connection of a run."""
        moods = random.Random(link.number)  # noqa: S311 - gaps to repeat, no secret
        while content := await link.read(self.piece_bytes):
            began_s = time.monotonic()
            await asyncio.sleep(moods.uniform(0.0, self.most_s))
            link.bite(time.monotonic() - began_s)
            await link.write(content)
        link.end()

    def evidence(self, tally: Tally) -> str | None:
        """Show how long pieces were held up."""
        is_uneven = (tally.most_held_s or 0.0) >= self.most_s / 2
        return f"{tally.bites} pieces came {_span(tally)} late" if is_uneven else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """So many bytes a second and no more; the sender feels it."""

    bytes_per_s: float
    fills_up: ClassVar[bool] = True

    async def carry(self, link: Link) -> None:
        """Pass slices on, each once the time is over that it takes."""
        slice_bytes = max(1, round(self.bytes_per_s * _TICK_S))
        due_s = 0.0
        while content := await link.read(slice_bytes):
            came_s = time.monotonic()
            due_s = max(due_s, came_s) + len(content) / self.bytes_per_s
            await _sleep_until(due_s)
            link.bite(time.monotonic() - came_s)
            await link.write(content)
        link.end()

    def evidence(self, tally: Tally) -> str | None:
        """Show that slices were held up for the time that they take."""
        return f"{tally.bites} slices took {_span(tally)} each" if tally.bites else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowClose:
    """The end of the bytes becomes known only so much later."""

    delay_s: float
    fills_up: ClassVar[bool] = False

    async def carry(self, link: Link) -> None:
        """Pass everything on at once, but the end."""
        await link.pass_all()
        ended_s = time.monotonic()
        await _sleep_until(ended_s + self.delay_s)
        link.bite(time.monotonic() - ended_s)
        link.end()

    def evidence(self, tally: Tally) -> str | None:
        """Show that ends became known late."""
        is_late = (tally.least_held_s or 0.0) >= self.delay_s
        return f"{tally.bites} ends came {_span(tally)} late" if is_late else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Both ends meet a reset once so many bytes have passed in this direction."""

    after_bytes: int
    fills_up: ClassVar[bool] = False

    async def carry(self, link: Link) -> None:
        """Pass the first bytes on and reset."""
        if await link.pass_first(self.after_bytes):
            link.bite()
            msg = "reset by the trouble"
            raise ConnectionResetError(msg)
        link.end()

    def evidence(self, tally: Tally) -> str | None:
        """Show how many connections were reset."""
        return f"{tally.bites} of {tally.connections} connections reset" if tally.bites else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The bytes end, in order, after so many of them."""

    after_bytes: int
    fills_up: ClassVar[bool] = False

    async def carry(self, link: Link) -> None:
        """Pass the first bytes on, end, and swallow the rest."""
        if await link.pass_first(self.after_bytes):
            link.bite()
            link.end()
            await link.swallow()
        else:
            link.end()

    def evidence(self, tally: Tally) -> str | None:
        """Show how many connections were cut, and what was lost."""
        told = f"{tally.bites} of {tally.connections} connections cut, {tally.swallowed_bytes} bytes lost"
        return told if tally.bites else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfOpen:
    """After so many bytes in this direction one end vanishes: the other hears of it never, whatever it sends."""

    after_bytes: int
    fills_up: ClassVar[bool] = False

    async def carry(self, link: Link) -> None:
        """Pass the first bytes on, and from then on swallow all, in both directions."""
        if await link.pass_first(self.after_bytes):
            link.bite()
            link.wire.is_lost = True
            await link.swallow()
        else:
            link.end()

    def evidence(self, tally: Tally) -> str | None:
        """Show how many connections lost an end."""
        told = f"{tally.bites} of {tally.connections} connections half open, {tally.swallowed_bytes} bytes lost"
        return told if tally.bites else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlackHole:
    """Nothing arrives, and nobody takes what is sent: the sender's buffers fill up."""

    fills_up: ClassVar[bool] = True

    async def carry(self, link: Link) -> None:
        """Do nothing, as long as the proxy lives."""
        link.bite()
        await asyncio.Event().wait()

    def evidence(self, tally: Tally) -> str | None:
        """Show that bytes wait which nobody takes."""
        told = f"{tally.connections} connections, {tally.unread_bytes} bytes wait unread"
        return told if tally.unread_bytes and not tally.passed_bytes else None


_KINDS: dict[str, type[Trouble]] = {
    kind.__name__: kind for kind in (Clear, Delay, Jitter, Bandwidth, SlowClose, Reset, Cut, HalfOpen, BlackHole)
}


def to_order(trouble: Trouble) -> dict[str, Any]:
    """Return a trouble as JSON has it."""
    return {"kind": type(trouble).__name__, **asdict(trouble)}  # type: ignore[call-overload]  # each is a dataclass


def from_order(order: dict[str, Any]) -> Trouble:
    """Return the trouble that JSON says; raises KeyError or TypeError where it says none."""
    return _KINDS[order["kind"]](**{name: value for name, value in order.items() if name != "kind"})


async def _sleep_until(due_s: float) -> None:
    await asyncio.sleep(max(0.0, due_s - time.monotonic()))


def _span(tally: Tally) -> str:
    return f"{tally.least_held_s or 0.0:.3f} to {tally.most_held_s or 0.0:.3f} s"
