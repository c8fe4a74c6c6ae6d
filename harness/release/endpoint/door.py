"""The door: an HTTP server on the loopback address that hands each request to the router."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from harness.system.daemon import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

# Callers keep connections for long; who closes first must not be us.
_KEPT_IDLE_S = 3600.0


class Door:
    """Listens from `open` to `close`; made and used in the router's thread."""

    def __init__(self, answer: Answer) -> None:
        """Take whoever answers."""
        server = web.Server(answer, access_log=None, auto_decompress=False, keepalive_timeout=_KEPT_IDLE_S)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)

    async def open(self, port: int) -> str:
        """Listen at a port, 0 for a free one, and return the base URL; raise OSError where it is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, port).start()
        host, taken = self._runner.addresses[0][:2]
        return f"http://{host}:{taken}"

    async def close(self) -> None:
        """Listen no more, and close what is connected."""
        await self._runner.cleanup()
