"""One question to the sut and what became of it, with the moments at which it was due, sent and answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from harness.contract.records import Window
    from harness.system.client import Answer

Asked = Literal["good", "same", "invalid", "ping", "in_flight", "far"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is sent: a ping, a good window, the one window that is sent again and again, or an invalid body.

    `in_flight` is a good window that was half sent when the fault struck, `far` one that a client asks over a bad
    network which loses nothing. `breaks` is the rule under which an invalid body has to be refused.
    """

    asked: Asked
    body: bytes | None = None
    window: Window | None = None
    breaks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A question that was sent; moments are seconds of the monotonic clock, `failure` is set where no answer came."""

    question: Question
    request_id: str
    due_s: float
    sent_s: float
    answered_s: float
    answered_at: float  # Unix time: the age of a window is counted from it
    answer: Answer | None = None
    failure: str = ""
