"""An open-loop prober: a thread an attempt, sent when it is due, whatever became of the ones before."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from typing import TYPE_CHECKING, Self

from harness.contract.records import content_type
from harness.experiment.bait import INVALID, Bait
from harness.experiment.schedule import schedule
from harness.faults.attempt import Attempt, Question
from harness.system.client import Client, NoAnswer, Request
from harness.system.waiting import sleep_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.attempt import Asked

_MOST_OUTSTANDING = 600
_CONNECTION_CLOSE = {"Connection": "close"}


class ProberBroken(Exception):  # noqa: N818 - named by what happened
    """The prober itself failed: ours, and nothing is known about the sut."""


class Prober:
    """Sends on the profile's schedule from entering until leaving, each attempt over a connection of its own."""

    def __init__(
        self, url: str, profile: Profile, series: Sequence[Second], *, patience_s: float | None = None
    ) -> None:
        """Take the sut's base URL, which `aim` may change later, and a series of at least one window.

        `patience_s` is how long a client waits for an answer, where that is less than a container may take to hang.
        """
        self.url = url
        self._patience_s = profile.http.hang_s if patience_s is None else patience_s
        self.profile = profile
        promised = tuple(rule_id for rule_id in INVALID if rule_id not in profile.waived)
        self._bait = Bait(profile.window, series, promised)
        self._prefix = uuid.uuid4().hex[:8]
        self._numbers = itertools.count()
        self._attempts: list[Attempt] = []
        self._under_way: dict[threading.Thread, float] = {}
        self._troubles: list[BaseException] = []
        self._keep_next = False
        self._stopped = threading.Event()
        self._clockwork = threading.Thread(target=self._guarded, args=(self._tick,), name="prober", daemon=True)

    def __enter__(self) -> Self:
        """Start sending."""
        self._clockwork.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop sending; attempts under way have as long as the profile grants an answer."""
        self.stop()

    def aim(self, url: str) -> None:
        """Send to another URL from now on: a container's port changes with each start."""
        self.url = url

    def keep_window(self) -> None:
        """Choose a fresh window to be sent, byte for byte, over and over."""
        self._keep_next = True

    def attempts(self) -> list[Attempt]:
        """Return what has an outcome so far, in the order of the outcomes."""
        return list(self._attempts)

    def ensure_whole(self) -> None:
        """Raise `ProberBroken` where the prober itself failed."""
        if self._troubles:
            msg = f"the prober failed: {self._troubles[0]!r}"
            raise ProberBroken(msg) from self._troubles[0]

    def settled_until_s(self) -> float:
        """Return the moment before which every attempt that was due has an outcome."""
        now_s = time.monotonic()
        return min((due_s for thread, due_s in list(self._under_way.items()) if thread.is_alive()), default=now_s)

    def stop(self) -> None:
        """Stop sending and wait for what is under way."""
        self._stopped.set()
        self._clockwork.join()
        for thread in self._under_way:
            thread.join()

    def _tick(self) -> None:
        began_s = time.monotonic()
        for after_s, asked in schedule(self.profile.chaos):
            sleep_until(began_s + after_s)
            if self._stopped.is_set():
                return
            question = self.question_at(asked, time.time())
            if question is not None:
                self._launch(question, due_s=began_s + after_s)

    def question_at(self, asked: Asked, now: float) -> Question | None:
        """Return what is sent at a moment (Unix time); None where there is nothing of its kind to send."""
        if self._keep_next:
            self._bait.keep(now)
            self._keep_next = False
        if asked == "ping":
            return Question(asked="ping")
        if asked == "same":
            return self._bait.same(now)
        if asked == "invalid":
            return self._bait.invalid(now) if self._bait.breaks else None
        return self._bait.good(now)

    def _launch(self, question: Question, *, due_s: float) -> None:
        self._under_way = {thread: due_s for thread, due_s in self._under_way.items() if thread.is_alive()}
        if len(self._under_way) >= _MOST_OUTSTANDING:
            msg = f"{_MOST_OUTSTANDING} attempts are under way: more would measure this machine, not the sut"
            raise ProberBroken(msg)
        request_id = f"{self._prefix}-{next(self._numbers)}"
        arguments = (lambda: self._attempt(question, request_id, due_s),)
        thread = threading.Thread(target=self._guarded, args=arguments, daemon=True)
        thread.start()
        self._under_way[thread] = due_s

    def _attempt(self, question: Question, request_id: str, due_s: float) -> None:
        client = Client(self.url, self.profile)
        answer, failure, sent_s = None, "", time.monotonic()
        try:
            answer = client.send(self._request(question, request_id), timeout_s=self._timeout_s(question)).answer
        except NoAnswer as error:
            failure = error.failure
        finally:
            answered_s, answered_at = time.monotonic(), time.time()
            client.close()
        self._attempts.append(
            Attempt(
                question=question,
                request_id=request_id,
                due_s=due_s,
                sent_s=sent_s,
                answered_s=answered_s,
                answered_at=answered_at,
                answer=answer,
                failure=failure,
            )
        )

    def _request(self, question: Question, request_id: str) -> Request:
        http, headers = self.profile.http, {**_CONNECTION_CLOSE, "X-Request-Id": request_id}
        if question.asked == "ping":
            return Request(method="GET", path=http.ping_path, headers=headers)
        headers["Content-Type"] = content_type(self.profile.window)
        return Request(method="POST", path=http.invocations_path, headers=headers, body=question.body)

    def _timeout_s(self, question: Question) -> float:
        return min(self.profile.http.ping_s, self._patience_s) if question.asked == "ping" else self._patience_s

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours and must be told
            self._troubles.append(error)
