"""Stand-ins for containers: tiny HTTP servers that answer, are slow, break, die and come back as they are told."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from aiohttp import web

from harness.release.endpoint.loop import Loop
from harness.release.endpoint.supply import CannotServe

if TYPE_CHECKING:
    from harness.release.endpoint.config import AnyVariant


class StandIn:
    """One of them; what it heard stands in `bodies` and `headers`."""

    def __init__(self, loop: Loop, name: str = "stand-in") -> None:
        """Open it."""
        self.name = name
        self.status, self.answer, self.answer_headers, self.delay_s = 200, b"42", {"Content-Type": "text/plain"}, 0.0
        self.is_well, self.cuts, self.has_left = True, False, False
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self._loop = loop
        self._runner: web.ServerRunner | None = None
        self._port = 0
        self.open()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        """Answer from now on, at the same port as before."""
        self._loop.run(self._open())

    def die(self) -> None:
        """Close every connection, and refuse new ones."""
        runner, self._runner = self._runner, None
        if runner is not None:
            self._loop.call(self._dead.set)
            self._loop.run(runner.cleanup())

    def is_there(self) -> bool:
        """Whether it answers at all."""
        return self._runner is not None

    def leave(self) -> None:
        """End for good."""
        self.has_left = True
        self.die()

    async def _open(self) -> None:
        self._dead = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/ping":
            return web.Response(status=200 if self.is_well else 503)
        self.bodies.append(await request.content.read())
        self.headers.append(dict(request.headers))
        if self.delay_s:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._dead.wait(), self.delay_s)
        if (self.cuts or self._dead.is_set()) and request.transport is not None:
            request.transport.abort()
        return web.Response(status=self.status, body=self.answer, headers=self.answer_headers)


class StandIns:
    """Hands out stand-ins in place of containers, so many a variant at `most`; `gate` closed, none becomes ready."""

    def __init__(self, loop: Loop, kind: type[StandIn] = StandIn) -> None:
        """Hand out as many of a kind as are wanted."""
        self._loop = loop
        self._kind = kind
        self._closed = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.most: dict[str, int] = {}
        self._lock = threading.Lock()
        self.made: dict[str, list[StandIn]] = {}

    def instance(self, variant: AnyVariant) -> StandIn:
        """Hand one out once the gate is open."""
        while not self.gate.wait(0.01):
            if self._closed.is_set():
                raise CannotServe(variant.name)
        with self._lock:
            made = self.made.setdefault(variant.name, [])
            if len(made) == self.most.get(variant.name):
                msg = f"{variant.image} is ill"
                raise CannotServe(msg)
            made.append(self._kind(self._loop, f"{variant.name}-{len(made) + 1}"))
            return made[-1]

    def close(self) -> None:
        """Hand out no more."""
        self._closed.set()

    def of(self, name: str) -> StandIn:
        """Return the one that a variant got last."""
        return self.made[name][-1]
