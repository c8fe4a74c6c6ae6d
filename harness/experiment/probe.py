"""From an attempt to a probe: whether the answer was right, an honest refusal, a failure or wrong."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from harness.contract.answer_path import at_path
from harness.contract.data_rules import broken_rules
from harness.contract.judge import OK, UNAVAILABLE, Violation, json_of, judge_prediction, prediction_of, shown
from harness.experiment.record import Probe

if TYPE_CHECKING:
    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.experiment.record import Outcome
    from harness.faults.attempt import Attempt
    from harness.system.client import Answer

_CLIENT_ERRORS = range(400, 500)
_DIGEST_DIGITS = 12


def classify(attempt: Attempt, profile: Profile, *, origin_s: float) -> Probe:
    """Return the probe that an attempt was; `origin_s` is the monotonic moment at which the experiment began."""
    outcome, broken = _outcome(attempt, profile)
    answer, window = attempt.answer, attempt.question.window
    return Probe(
        asked=attempt.question.asked,
        due_s=attempt.due_s - origin_s,
        sent_s=attempt.sent_s - origin_s,
        answered_s=attempt.answered_s - origin_s,
        outcome=outcome,
        status=None if answer is None else answer.status,
        retry_after="" if answer is None else answer.headers.get("retry-after", ""),
        detail=attempt.failure if answer is None or outcome == "right" else shown(answer),
        broken=tuple(broken),
        request_id=attempt.request_id,
        got_request_id="" if answer is None else answer.headers.get("x-request-id", ""),
        window=hashlib.sha256(attempt.question.body or b"").hexdigest()[:_DIGEST_DIGITS] if window else "",
        as_of="" if window is None else str(window.newest(profile.window.named("end"))),
        close=None if window is None else _close(window, profile),
        got_as_of=_as_of(answer, profile) if window else "",
        prediction=prediction_of(answer, profile) if answer is not None and window else None,
    )


def _outcome(attempt: Attempt, profile: Profile) -> tuple[Outcome, list[Violation]]:
    if attempt.answer is None:
        return ("timed out" if attempt.failure == "timed out" else "failed"), []
    if attempt.question.asked == "ping":
        return _of_ping(attempt.answer), []
    if attempt.question.window is None:
        return _of_invalid(attempt.answer, attempt.question.breaks)
    return _of_window(attempt.question.window, attempt.answer, profile, answered_at=attempt.answered_at)


def _of_ping(answer: Answer) -> Outcome:
    if answer.status == OK:
        return "right"
    return "refused" if answer.status == UNAVAILABLE else "failed"


def _of_invalid(answer: Answer, rule: str) -> tuple[Outcome, list[Violation]]:
    if answer.status == OK:
        return "wrong", [Violation(rule=rule, expected="a refusal of an invalid body", actual=shown(answer))]
    honest = answer.status == UNAVAILABLE or answer.status in _CLIENT_ERRORS
    return ("refused" if honest else "failed"), []


def _of_window(
    window: Window, answer: Answer, profile: Profile, *, answered_at: float
) -> tuple[Outcome, list[Violation]]:
    if answer.status == UNAVAILABLE:
        return "refused", []
    if answer.status not in _CLIENT_ERRORS and answer.status != OK:
        return "failed", []
    # A window that grew old on its way, in a frozen container for instance, may be refused for its age.
    if answer.status != OK and broken_rules(profile.window.as_sent, window, now_s=answered_at):
        return "refused", []
    broken = judge_prediction(window, answer, profile)
    return ("wrong" if broken else "right"), broken


def _close(window: Window, profile: Profile) -> float:
    return float(str(window.newest(profile.window.target)))


def _as_of(answer: Answer | None, profile: Profile) -> str:
    found = json_of(answer) if answer is not None and profile.answer.as_of else None
    return str(at_path(found, profile.answer.as_of) or "")
