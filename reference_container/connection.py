"""A client's connection: what it is doing, and how long it may take over it."""

import contextlib
import enum
import os
import socket
import time

from gunicorn.http.unreader import Unreader

SEND_S = 5.0
LINGER_S = 2.0
LINGER_BYTES = 1 << 24
_CHUNK_BYTES = 1 << 16


class Phase(enum.Enum):
    """What a connection is doing."""

    IDLE = enum.auto()
    READING = enum.auto()
    ANSWERING = enum.auto()
    LINGERING = enum.auto()


class Connection:
    """A socket with one deadline for all that is read, however small the pieces that it comes in."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._deadline_s = 0.0
        self.phase = Phase.IDLE
        self.first_byte_s = self.last_byte_s = time.monotonic()
        self.bytes_in = 0

    def begin(self, unreader: Unreader, *, idle_s: float, read_s: float) -> bool:
        """Wait for the first byte of a request, and start its clock; return whether one came."""
        self.bytes_in = len(unreader.buf.getvalue())
        if not self.bytes_in:
            self.phase = Phase.IDLE
            self.allow(idle_s)
            try:
                first = self.recv(_CHUNK_BYTES)
            except TimeoutError:
                return False
            if not first:
                return False
            unreader.unread(first)
        self.phase = Phase.READING
        self.first_byte_s = time.monotonic()
        self.allow(read_s)
        return True

    def allow(self, budget_s: float) -> None:
        """Set the deadline for all that is read from now on."""
        self._deadline_s = time.monotonic() + budget_s

    def recv(self, size: int) -> bytes:
        """Return what has come, b"" at the end. Raises TimeoutError at the deadline."""
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._client.settimeout(left_s)
        received = self._client.recv(size)
        self.last_byte_s = time.monotonic()
        self.bytes_in += len(received)
        return received

    def send(self, content: bytes) -> int:
        """Send an interim answer."""
        self.sendall(content)
        return len(content)

    def sendall(self, content: bytes) -> None:
        """Send, within SEND_S even to a client that does not read."""
        self._client.settimeout(SEND_S)
        self._client.sendall(content)

    def linger(self) -> None:
        """End our side and read on for a while: closing at once could destroy an answer that is still on its way."""
        self.phase = Phase.LINGERING
        self.allow(LINGER_S)
        self._client.shutdown(socket.SHUT_WR)
        self.bytes_in = 0
        while self.recv(_CHUNK_BYTES) and self.bytes_in < LINGER_BYTES:
            pass

    def give_up(self) -> None:
        """End the connection; whoever waits for it sees its end."""
        with contextlib.suppress(OSError):  # It may have ended already.
            self._client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket."""
        self._client.close()

    @staticmethod
    def new_id() -> str:
        """Make up a request's name."""
        return os.urandom(16).hex()
