"""A server whose latencies are known by construction: steady, freezing, with a slow tail, or slower by the second.

python -m harness.load.known_truth --freeze 2 --every 10     # answers nothing for 2 s in every 10 s
python -m harness.load.known_truth --slow-share 0.03         # 3 of every 100 answers take --slow-s longer
python -m harness.load.known_truth --creep 0.01              # each second answers take 10 ms longer
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import time
from dataclasses import dataclass
from typing import cast

from harness.load.glance import Refused, newest_of, newest_unchecked

LOOPBACK = "127.0.0.1"
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_PARTS = 10_000
_PRIORITY = -10


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """How the server behaves; seconds, and shares as fractions of 1. A server with nothing set is steady."""

    freeze_s: float = 0.0
    every_s: float = 10.0
    slow_share: float = 0.0
    slow_s: float = 1.5
    service_s: float = 0.0
    creep: float = 0.0
    unchecked: bool = False  # windows are taken to be good: the less an answer costs, the faster it comes

    def share_over(self, budget_s: float) -> float:
        """Return the share of constant arrivals whose answer takes longer than a budget, over whole periods."""
        frozen = max(self.freeze_s - budget_s, 0) / self.every_s if self.freeze_s else 0.0
        slow = self.slow_share if self.slow_s + self.service_s > budget_s else 0.0
        return frozen + slow - frozen * slow


class Pace:
    """Says how long each answer is held back."""

    def __init__(self, truth: Truth) -> None:
        """Count answers from zero, and periods from now; a period ends with its freeze."""
        self._truth = truth
        self.unchecked = truth.unchecked
        self._parts = round(truth.slow_share * _PARTS)
        self._served = 0
        self._began = time.monotonic()

    def next_pause_s(self) -> float:
        """Return how long the next answer to an invocation is held back; the slow ones are spread evenly."""
        number, self._served = self._served, self._served + 1
        is_slow = (number * self._parts) % _PARTS < self._parts
        service_s = self._truth.service_s + self._truth.creep * (time.monotonic() - self._began)
        return self.frozen_s() + service_s + (self._truth.slow_s if is_slow else 0.0)

    def frozen_s(self) -> float:
        """Return how long the present freeze still lasts.

        Requests are read meanwhile: a process that truly stood still would need a while to catch up, and that would
        lengthen the freeze by what nobody knows.
        """
        left_s = self._truth.every_s - (time.monotonic() - self._began) % self._truth.every_s
        return left_s if left_s < self._truth.freeze_s else 0.0


class Conversation(asyncio.Protocol):
    """One connection: answers pings and invocations as a good container would, in the order in which they come."""

    def __init__(self, pace: Pace) -> None:
        """Share the pace with all other connections."""
        self._pace = pace
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer the request as soon as it is whole; our clients send the next one after that."""
        self._received += data
        head, end, body = self._received.partition(_END)
        if not end or len(body) < _length(head):
            return
        self._received = b""
        answer = _response(*_answer(head.lower(), body, unchecked=self._pace.unchecked))
        pause_s = self._pace.next_pause_s() if head.startswith(b"POST") else self._pace.frozen_s()
        if pause_s:
            asyncio.get_running_loop().call_later(pause_s, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def serve(truth: Truth, port: int) -> None:
    """Listen on the loopback address, print the URL, and serve until cancelled; port 0 is any free one."""
    # What is known must stay true on a busy machine; needs the privilege.
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
    pace, loop = Pace(truth), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Conversation(pace), LOOPBACK, port, backlog=4096)
    print(f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201 - its output
    async with server:
        await server.serve_forever()


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


def _answer(head: bytes, body: bytes, *, unchecked: bool) -> tuple[int, object]:
    if not head.startswith(b"post"):
        return 200, {}
    try:
        is_csv = b"content-type: text/csv" in head
        last = newest_unchecked(body, is_csv=is_csv) if unchecked else newest_of(body, is_csv=is_csv, now_s=time.time())
    except Refused as refused:
        return refused.status, {"error": {"code": "refused", "dimension": refused.dimension, "message": str(refused)}}
    return 200, {
        "prediction": last.close,
        "as_of": last.end,
        "horizon_s": 1,
        "model": {"name": "known-truth", "version": "1"},
        "anomalies": [],
    }


def _response(status: int, answer: object) -> bytes:
    body = json.dumps(answer).encode()
    head = b"HTTP/1.1 %d \r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    return head + body


def main() -> None:
    """Read the options and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m harness.load.known_truth", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--freeze", dest="freeze_s", type=float, default=0.0, help="seconds at the end of each period")
    parser.add_argument("--every", dest="every_s", type=float, default=10.0, help="the period, in seconds")
    parser.add_argument("--slow-share", type=float, default=0.0, help="the share of slow answers, 0 to 1")
    parser.add_argument("--slow-s", type=float, default=1.5, help="how much longer these take, in seconds")
    parser.add_argument("--service-s", type=float, default=0.0, help="how long each answer takes, in seconds")
    parser.add_argument("--creep", type=float, default=0.0, help="how much longer each second, in seconds")
    parser.add_argument("--unchecked", action="store_true", help="take every window to be good: faster")
    chosen = vars(parser.parse_args())
    port = chosen.pop("port")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(Truth(**chosen), port))


if __name__ == "__main__":
    main()
