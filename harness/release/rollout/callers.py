"""Callers of an endpoint: an open loop of windows at a rate, and the same window asked again of the champion."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from harness.contract.judge import OK, UNAVAILABLE
from harness.contract.records import CONTENT_TYPES, last_whole_second_ns
from harness.release.endpoint.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract.profile import Profile
    from harness.release.endpoint import Endpoint, Outcome
    from harness.release.rollout.asks import Ask

# A caller bears 503 for so long, as `Retry-After` asks it to; then its call is lost.
_BEARS_S = 30.0
_MODEL_ERROR = 424
_TARGET, _INFERENCE = "X-Amzn-SageMaker-Target-Variant", "X-Amzn-SageMaker-Inference-Id"
_ASK, _CHECK = "ask-", "check-"


@dataclass(slots=True)
class Count:
    """How the calls fared: an answer, a container's error in place of one, or nothing."""

    sent: int = 0
    answered: int = 0
    spoilt: int = 0
    lost: int = 0

    def add_theirs(self, outcome: Outcome) -> None:
        """Count a call of somebody else's, of which no more is known than what became of it at the endpoint."""
        self.sent += 1
        self.answered += outcome in ("ok", "4xx")
        self.lost += outcome == "unavailable"
        self.spoilt += outcome not in ("ok", "4xx", "unavailable")


class Callers:
    """Everybody who calls an endpoint from here; without a rate nobody does by himself."""

    def __init__(self, endpoint: Endpoint, profile: Profile, asks: Sequence[Ask], *, rate_per_s: float) -> None:
        """Open no connection yet."""
        self.count = Count()
        self._url = f"{endpoint.url}/endpoints/{endpoint.name}/invocations"
        self._profile = profile
        self._asks = asks
        self._rate_per_s = rate_per_s
        self._calls: set[asyncio.Task[None]] = set()
        self._is_over = False
        self._arrivals: asyncio.Task[None] | None = None
        self._loop = Loop("callers")
        self._session = self._loop.run(_session())

    def begin(self) -> None:
        """Begin to call, at the rate."""
        if self._rate_per_s:
            self._loop.call(self._begin)

    def end(self) -> None:
        """Call no more, and wait for every answer that is still to come; once is enough, twice does no harm."""
        if not self._is_over:
            self._is_over = True
            self._loop.run(self._end())
            self._loop.close()

    def asked(self, inference_id: str) -> Ask | None:
        """Return what was asked under an id; None where somebody else asked."""
        number = inference_id.removeprefix(_ASK)
        is_ours = inference_id.startswith(_ASK) and number.isdecimal()
        return self._asks[int(number) % len(self._asks)] if is_ours else None

    def check(self, number: int, body: bytes, content_type: str, *, variant: str) -> None:
        """Ask a variant by its name what an invocation asked; the answer is found among the endpoint's invocations."""
        headers = {_TARGET: variant, _INFERENCE: f"{_CHECK}{number}"}
        if content_type:
            headers["Content-Type"] = content_type
        self._loop.call(self._start, self._checked(body, headers))

    @staticmethod
    def checked(inference_id: str) -> int | None:
        """Return the number of the invocation that an id checks; None where it checks none."""
        number = inference_id.removeprefix(_CHECK)
        return int(number) if inference_id.startswith(_CHECK) and number.isdecimal() else None

    def _begin(self) -> None:
        self._arrivals = asyncio.get_running_loop().create_task(self._arrive())

    def _start(self, call: object) -> None:
        task = asyncio.get_running_loop().create_task(call)  # type: ignore[arg-type,var-annotated]  # a coroutine of ours
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _end(self) -> None:
        if self._arrivals is not None:
            self._arrivals.cancel()
        if self._calls:
            await asyncio.wait(set(self._calls))
        await self._session.close()

    async def _arrive(self) -> None:
        """Send each call when it is due, whatever became of those before it."""
        begin_s = time.monotonic()
        while True:
            due_s = begin_s + self.count.sent / self._rate_per_s
            await asyncio.sleep(max(due_s - time.monotonic(), 0))
            self._start(self._call(self.count.sent))
            self.count.sent += 1

    async def _call(self, number: int) -> None:
        question = self._asks[number % len(self._asks)].question
        body = question.body(self._profile.window, end_ns=last_whole_second_ns(time.time()))
        headers = {"Content-Type": CONTENT_TYPES[question.codec], _INFERENCE: f"{_ASK}{number}"}
        until_s = time.monotonic() + _BEARS_S
        status, wait_s = await self._post(body, headers)
        while status == UNAVAILABLE and time.monotonic() + wait_s < until_s:
            await asyncio.sleep(wait_s)
            status, wait_s = await self._post(body, headers)
        self.count.answered += status == OK
        self.count.spoilt += status == _MODEL_ERROR
        self.count.lost += status not in (OK, _MODEL_ERROR)

    async def _checked(self, body: bytes, headers: Mapping[str, str]) -> None:
        await self._post(body, headers)

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, float]:
        """Return the status, 0 where no whole answer came, and how long to wait before coming again."""
        try:
            async with self._session.post(self._url, data=body, headers=headers) as answer:
                await answer.read()
                told = answer.headers.get("Retry-After", "")
                return answer.status, float(told) if told.isdecimal() else 1.0
        except (ClientError, TimeoutError):
            return 0, 0.0


async def _session() -> ClientSession:
    return ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=2 * _BEARS_S))
