"""HTTP below the reach of a library: exact bytes over one connection, and all that came of them as a value."""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

from harness.contract.judge import shown
from harness.system.answer_bytes import FIRST_FINAL, Found, NotHttp, find
from harness.system.client import Answer

if TYPE_CHECKING:
    from types import TracebackType

# How a connection stands: "silent" is open, but an answer that was waited for did not come; "garbled" sent no HTTP.
Standing = Literal["open", "silent", "closed", "reset", "refused", "garbled"]
_BLOCK_BYTES = 65_536
_SHOWN_BYTES = 600
_SHOWN_REST_BYTES = 200


class NotPlain(ValueError):  # noqa: N818 - named by what it is
    """A URL that raw bytes cannot be sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sut listens, and the path under which its routes lie."""

    host: str
    port: int
    prefix: str = ""

    @classmethod
    def of(cls, url: str) -> Place:
        """Read a base URL; raise `NotPlain` where it is not plain HTTP."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            msg = f"{url}: exact bytes go over plain HTTP alone: name the port behind the encryption"
            raise NotPlain(msg)
        return cls(host=parts.hostname, port=parts.port or 80, prefix=parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """What a `Host` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def head(self, method: str, path: str, *fields: str) -> bytes:
        """Write the head of a well-formed request: request line, `Host`, then the fields as they are."""
        return lines(f"{method} {self.prefix}{path} HTTP/1.1", f"Host: {self.authority}", *fields)


def lines(*parts: str) -> bytes:
    """Join lines as a head, with the empty line that ends it."""
    return "".join(f"{part}\r\n" for part in (*parts, "")).encode("latin-1")


def chunked(*parts: bytes) -> bytes:
    """Write a body in chunks, one a part, with the one that ends it."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What went over one connection: the first bytes there and how many in all, answers back, how it stands.

    `rest` is what came that nobody read as an answer.
    """

    place: Place
    sent: bytes
    sent_bytes: int
    half_closed: bool
    answers: tuple[Answer, ...]
    interim: tuple[int, ...]
    standing: Standing
    rest: bytes

    @property
    def curl(self) -> str:
        """The shell line that sends the same bytes again."""
        cut = f"  # {self.sent_bytes} bytes in all" if self.sent_bytes > len(self.sent) else ""
        quoted = "".join(_quoted(byte) for byte in self.sent)
        return f"printf '{quoted}' | nc {'-N ' if self.half_closed else ''}{self.place.host} {self.place.port}{cut}"

    def __str__(self) -> str:
        """Say in one line what came."""
        came = [str(status) for status in self.interim] + [shown(answer) for answer in self.answers]
        if self.rest:
            came.append(f"{self.rest[:_SHOWN_REST_BYTES]!r}, which is no whole answer")
        return ", ".join([*came, *([] if self.standing == "open" else [self.standing])]) or "nothing"


class Wire:
    """One connection to a sut; nothing that the peer does raises."""

    def __init__(self, place: Place, *, patience_s: float) -> None:
        """Connect; `patience_s` is how long any one thing may take."""
        self.place = place
        self.patience_s = patience_s
        self._socket: socket.socket | None = None
        self._standing: Standing = "open"
        self._sent, self._came = bytearray(), bytearray()
        self._sent_bytes = 0
        self._answers: list[Answer] = []
        self._interim: list[int] = []
        self._is_kept = True
        self._is_half_closed = False
        self._began_s = time.monotonic()
        try:
            self._socket = socket.create_connection((place.host, place.port), timeout=patience_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except TimeoutError:
            self._standing = "silent"
        except ConnectionError:
            self._standing = "refused"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()

    @property
    def talk(self) -> Talk:
        """All that went over the connection until now."""
        return Talk(
            place=self.place,
            sent=bytes(self._sent),
            sent_bytes=self._sent_bytes,
            half_closed=self._is_half_closed,
            answers=tuple(self._answers),
            interim=tuple(self._interim),
            standing=self._standing,
            rest=bytes(self._came),
        )

    @property
    def is_usable(self) -> bool:
        """Whether another request may follow: everything was answered, and the connection is kept."""
        return self._is_kept and self._standing == "open"

    def send(self, content: bytes) -> bool:
        """Send, watching for an answer; return False where one came, or the connection ended, before all was out."""
        left, deadline_s = memoryview(content), time.monotonic() + self.patience_s
        self._began_s = time.monotonic()
        while left and self._standing == "open":
            ready = self._wait(select.POLLIN | select.POLLOUT, deadline_s)
            if ready & ~select.POLLOUT:
                self._receive()
                if self._find() is not None:
                    return False
            elif ready:
                left = left[self._push(left[:_BLOCK_BYTES]) :]
            else:
                self._standing = "silent"
        return not left

    def end_sending(self) -> None:
        """Half-close: say that no more bytes will come, and go on reading."""
        self._is_half_closed = True
        if self._socket is not None and self._standing in ("open", "silent"):
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError:
                self._receive()  # it has ended already: see how

    def read(self, *, to: str = "GET", within_s: float | None = None) -> Answer | None:
        """Read the next final answer, the one to a request of a method; None where none came."""
        deadline_s = time.monotonic() + (self.patience_s if within_s is None else within_s)
        if self._standing == "silent":
            self._standing = "open"
        while True:
            answer = self._take(is_head=to == "HEAD")
            if answer is not None or self._standing != "open":
                return answer
            if self._wait(select.POLLIN, deadline_s):
                self._receive()
            else:
                self._standing = "silent"

    def listen(self, *, within_s: float) -> Answer | None:
        """Give the peer a while to say anything at all; return it where it is a final answer. Silence means nothing."""
        deadline_s = time.monotonic() + within_s
        while not self._interim and self._standing == "open":
            answer = self._take(is_head=False)
            if answer is not None or not self._wait(select.POLLIN, deadline_s):
                return answer
            self._receive()
        return self._take(is_head=False)

    def read_to_the_end(self, *, within_s: float) -> Answer | None:
        """Read an answer; where none comes in time, half-close, so that nobody waits for more of a request."""
        answer = self.read(within_s=within_s)
        if answer is None and self._standing == "silent":
            self.end_sending()
            answer = self.read()
        return answer

    def _wait(self, events: int, deadline_s: float) -> int:
        if self._socket is None:
            return 0
        poll = select.poll()
        poll.register(self._socket, events)
        ready = poll.poll(max(0.0, deadline_s - time.monotonic()) * 1_000)
        return ready[0][1] if ready else 0

    def _push(self, block: memoryview) -> int:
        assert self._socket is not None  # noqa: S101 - `_wait` saw it
        try:
            sent = self._socket.send(block)
        except ConnectionError:
            self._receive()  # the answer may lie there still
            if self._standing == "open" and self._find() is None:
                self._standing = "reset"
            return 0
        self._sent += block[: min(sent, _SHOWN_BYTES - len(self._sent))]
        self._sent_bytes += sent
        return sent

    def _receive(self) -> None:
        """Take in what has come, set interim answers aside, and see how the connection stands."""
        if self._socket is None:
            return
        try:
            block = self._socket.recv(_BLOCK_BYTES)
        except ConnectionError:
            self._standing = "reset"
            return
        self._came += block
        if not block:
            self._standing = "closed"
        while (found := self._find()) is not None and found.status < FIRST_FINAL:
            self._interim.append(found.status)
            del self._came[: found.size]

    def _find(self, *, is_head: bool = False) -> Found | None:
        try:
            return find(bytes(self._came), is_head=is_head, is_ended=self._standing in ("closed", "reset"))
        except NotHttp:
            self._standing = "garbled"
            return None

    def _take(self, *, is_head: bool) -> Answer | None:
        found = self._find(is_head=is_head)
        if found is None:
            return None
        del self._came[: found.size]
        self._is_kept = found.is_kept
        elapsed_s = time.monotonic() - self._began_s
        answer = Answer(status=found.status, headers=found.headers, body=found.body, elapsed_s=elapsed_s)
        self._answers.append(answer)
        return answer


def _quoted(byte: int) -> str:
    """Write a byte as `printf` in single quotes reads it."""
    known = {0x0D: r"\r", 0x0A: r"\n", 0x25: "%%", 0x5C: r"\\", 0x27: r"\047"}
    return known.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")  # noqa: PLR2004 - ASCII ends there
