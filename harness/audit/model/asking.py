"""Asking a model: windows that end now, sent over a few connections, and what came back."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.audit.model.interval import Interval, interval_of
from harness.contract.answer_path import at_path
from harness.contract.judge import OK, json_of, prediction_of
from harness.contract.records import build, last_whole_second_ns
from harness.system.client import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Codec, Window
    from harness.contract.series import Second
    from harness.system.client import Answer, Exchange

_THREADS = 4


class Door(Protocol):
    """Whatever answers windows; the harness's client is one."""

    def predict(self, window: Window, codec: Codec = "json") -> Exchange:
        """Send a window; raise `NoAnswer` where no whole answer came."""

    def close(self) -> None:
        """Close what was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A window to send, and by what; it ends at `end_ns`, or where there is none, now.

    `of` numbers the recorded window that it was made from, `label` says how.
    """

    seconds: tuple[Second, ...]
    of: int = 0
    label: str = ""
    codec: Codec = "json"
    end_ns: int | None = None

    @property
    def last(self) -> float:
        """The last close, in USD."""
        return self.seconds[-1].close


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of a case: no status where no answer came, no prediction where none was a finite number."""

    status: int | None
    prediction: float | None = None
    interval: Interval | None = None
    is_flagged: bool = False
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Sends cases through doors that it opens itself, one a thread."""

    open_door: Callable[[], Door]
    profile: Profile
    threads: int = _THREADS

    def ask(self, cases: Sequence[Case]) -> list[Reply]:
        """Send all cases and return the replies in their order."""
        size = max(-(-len(cases) // self.threads), 1)
        parts = [cases[begin : begin + size] for begin in range(0, len(cases), size)]
        with ThreadPoolExecutor(self.threads) as pool:
            return [reply for part in pool.map(self._ask_in_turn, parts) for reply in part]

    def _ask_in_turn(self, cases: Sequence[Case]) -> list[Reply]:
        door = self.open_door()
        try:
            return [self._reply(door, case) for case in cases]
        finally:
            door.close()

    def _reply(self, door: Door, case: Case) -> Reply:
        # Built when it is its turn: a window that waits grows old, and an old one is refused.
        end_ns = last_whole_second_ns(time.time()) if case.end_ns is None else case.end_ns
        window = build(self.profile.window, case.seconds, end_ns=end_ns)
        try:
            answer = door.predict(window, case.codec).answer
        except NoAnswer as failure:
            return Reply(status=None, elapsed_s=failure.elapsed_s)
        return reply_of(answer, self.profile)


def reply_of(answer: Answer, profile: Profile) -> Reply:
    """Return what an answer says."""
    if answer.status != OK:
        return Reply(status=answer.status, elapsed_s=answer.elapsed_s)
    found = json_of(answer)
    return Reply(
        status=OK,
        prediction=prediction_of(answer, profile),
        interval=interval_of(found),
        is_flagged=bool(at_path(found, profile.answer.anomalies or "anomalies")),
        elapsed_s=answer.elapsed_s,
    )
