"""An inquiry: questions that bad clients ask in earnest, and what became of each."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from harness.contract.records import encode
from harness.faults.attempt import Attempt, Question
from harness.faults.requests_in_bytes import fresh_window, invocation
from harness.system.answer_bytes import NotHttp, find
from harness.system.client import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Codec
    from harness.contract.series import Second
    from harness.faults.crowd import Visit

_READ_BYTES = 1 << 16


class Inquiry:
    """Asks over connections of a crowd, for `patience_s` seconds at most, and keeps every attempt."""

    def __init__(self, profile: Profile, seconds: Sequence[Second], *, patience_s: float) -> None:
        self._profile, self._seconds, self._patience_s = profile, seconds, patience_s
        self.attempts: list[Attempt] = []

    def request(
        self, question: Question, *, codec: Codec = "json", keep: bool = False, number: int = 0, turn: int = 0
    ) -> bytes:
        """Return a question as bytes, as many for each client and turn."""
        body, request_id = question.body or b"", _id(number, turn)
        return invocation(self._profile, body, codec=codec, keep=keep, request_id=request_id)

    def good(self) -> Question:
        """Return a good window that has to be answered."""
        window = fresh_window(self._profile, self._seconds)
        return Question(asked="far", body=encode(self._profile.window, window, "json"), window=window)

    def cut_short(self, codec: Codec) -> Question:
        """Return a good window that will not arrive whole, and so must not be answered with a prediction."""
        window = fresh_window(self._profile, self._seconds)
        return Question(asked="invalid", body=encode(self._profile.window, window, codec), breaks="C9")

    async def ask(self, visit: Visit, question: Question, *, codec: Codec = "json", keep: bool = False) -> None:
        """Ask and keep what came, whatever it is."""
        request = self.request(question, codec=codec, keep=keep, number=visit.number, turn=visit.turn)
        answer, failure, sent_s = None, "", time.monotonic()
        try:
            async with asyncio.timeout(self._patience_s):
                await visit.send(request)
                answer = await _answer(visit, sent_s)
        except TimeoutError:
            failure = "timed out"
        except (OSError, NotHttp) as error:
            failure = f"closed ({type(error).__name__})"
        self.attempts.append(
            Attempt(
                question=question,
                request_id=_id(visit.number, visit.turn),
                due_s=sent_s,
                sent_s=sent_s,
                answered_s=time.monotonic(),
                answered_at=time.time(),
                answer=answer,
                failure=failure,
            )
        )


def _id(number: int, turn: int) -> str:
    return f"far-{number:03}-{turn:03}"


async def _answer(visit: Visit, sent_s: float) -> Answer:
    """Read until an answer is whole; raises OSError, or NotHttp, where none comes."""
    came = b""
    while True:
        block = await visit.reader.read(_READ_BYTES)
        came += block
        found = find(came, is_head=False, is_ended=not block)
        if found is not None:
            elapsed_s = time.monotonic() - sent_s
            return Answer(status=found.status, headers=found.headers, body=found.body, elapsed_s=elapsed_s)
        if not block:
            msg = f"{len(came)} bytes came, and no whole answer"
            raise ConnectionError(msg)
