"""A request that is sent in two parts over a socket of its own, the second long after the first."""

from __future__ import annotations

import http.client
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from harness.contract.records import content_type
from harness.faults.attempt import Attempt
from harness.system.client import Answer
from harness.system.waiting import sleep_until

if TYPE_CHECKING:
    from harness.contract.profile import Profile
    from harness.faults.attempt import Question

Part = Literal["first bytes", "headers", "half of the body", "all but the last byte"]
_FIRST_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfSent:
    """An open connection over which the first part of a request went out at `sent_s` (monotonic)."""

    connection: socket.socket
    rest: bytes
    question: Question
    request_id: str
    sent_s: float

    def finish(self, *, due_s: float) -> Attempt:
        """Send the rest at `due_s` and read the answer; what goes wrong is part of the attempt."""
        sleep_until(due_s)
        answer, failure = None, ""
        rest_sent_s = time.monotonic()
        try:
            self.connection.sendall(self.rest)
            answer = _read(self.connection, since_s=rest_sent_s)
        except TimeoutError:
            failure = "timed out"
        except (OSError, http.client.HTTPException) as error:
            failure = f"closed ({type(error).__name__})"
        finally:
            self.connection.close()
        return Attempt(
            question=self.question,
            request_id=self.request_id,
            due_s=due_s,
            sent_s=rest_sent_s,
            answered_s=time.monotonic(),
            answered_at=time.time(),
            answer=answer,
            failure=failure,
        )


def send_half(url: str, profile: Profile, question: Question, *, part: Part, request_id: str) -> HalfSent:
    """Connect and send the first part of a good window's request; raises OSError where that fails."""
    place = urlsplit(url)
    host, port = place.hostname or "", place.port or http.client.HTTP_PORT
    head = (
        f"POST {profile.http.invocations_path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Content-Type: {content_type(profile.window)}\r\nContent-Length: {len(question.body or b'')}\r\n"
        f"X-Request-Id: {request_id}\r\nConnection: close\r\n\r\n"
    ).encode()
    whole = head + (question.body or b"")
    cut = _cut(part, head=len(head), whole=len(whole))
    connection = socket.create_connection((host, port), timeout=profile.http.hang_s)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(whole[:cut])
    return HalfSent(
        connection=connection, rest=whole[cut:], question=question, request_id=request_id, sent_s=time.monotonic()
    )


def _cut(part: Part, *, head: int, whole: int) -> int:
    cuts: dict[Part, int] = {
        "first bytes": _FIRST_BYTES,
        "headers": head,
        "half of the body": (head + whole) // 2,
        "all but the last byte": whole - 1,
    }
    return cuts[part]


def _read(connection: socket.socket, *, since_s: float) -> Answer:
    with http.client.HTTPResponse(connection, method="POST") as response:
        response.begin()
        body = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(status=response.status, headers=headers, body=body, elapsed_s=time.monotonic() - since_s)
