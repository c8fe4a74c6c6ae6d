"""Were the answers right? Each is judged against the window that was sent, and against its twins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.contract.judge import OK, Violation, judge_prediction, judge_same
from harness.contract.records import SECOND_NS
from harness.load.broken import WAYS, judge_broken
from harness.load.payloads import Origin, window_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.contract.profile import Profile
    from harness.load.plan import Plan
    from harness.load.record import Attempt

# A good window is never refused: these say that it was taken for a bad one.
_REFUSALS = range(400, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """An attempt whose answer broke a rule."""

    attempt: Attempt
    violation: Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """An answer in the form that the contract's judge takes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def wrong_answers(plan: Plan, attempts: Sequence[Attempt], profile: Profile) -> list[Wrong]:
    """Return the answers of status 200 or 4xx that break a rule; what failed otherwise is no answer to judge."""
    by_origin: dict[Origin, list[Attempt]] = {}
    for one in attempts:
        origin = _origin(one)
        if (one.status == OK or one.status in _REFUSALS) and origin is not None:
            by_origin.setdefault(origin, []).append(one)
    return [wrong for origin, same in by_origin.items() for wrong in _of_one_window(plan, origin, same, profile)]


def wrong_refusals(plan: Plan, attempts: Sequence[Attempt], profile: Profile) -> list[Wrong]:
    """Return what was broken on purpose and answered otherwise than with the refusal that its rule promises."""
    found = ((one, _origin(one)) for one in attempts if one.status is not None or one.outcome == "closed")
    return [
        Wrong(attempt=one, violation=violation)
        for one, origin in found
        if origin is not None
        for violation in _of_one_refusal(plan, origin, one, profile)
    ]


def _of_one_refusal(plan: Plan, origin: Origin, attempt: Attempt, profile: Profile) -> list[Violation]:
    if attempt.status is None:
        return [Violation(rule=WAYS[attempt.way].rule, expected=f"an answer to {attempt.way!r}", actual=attempt.detail)]
    window, now_s = window_at(plan, origin), origin.end_ns / SECOND_NS
    broken = judge_broken(attempt.way, profile, window, _given(attempt), now_s=now_s)
    return [replace(one, expected=f"{one.expected} to a window with {attempt.way!r}, under load") for one in broken]


def _origin(attempt: Attempt) -> Origin | None:
    if attempt.offset is None or attempt.end_ns is None:
        return None
    return Origin(offset=attempt.offset, end_ns=attempt.end_ns)


def _of_one_window(plan: Plan, origin: Origin, attempts: Sequence[Attempt], profile: Profile) -> Iterator[Wrong]:
    window = window_at(plan, origin)
    # Equal answers are judged once: at high rates one window is sent many times.
    told: dict[_Key, list[Violation]] = {}
    right: _Given | None = None
    for one in attempts:
        given, key = _given(one), (one.status, one.body)
        if key not in told:
            told[key] = judge_prediction(window, given, profile)
            if not told[key] and right is not None:
                told[key] = judge_same(right, given, profile, what="at another moment, under load")
            right = right or (None if told[key] else given)
        for violation in told[key]:
            yield Wrong(attempt=one, violation=violation)


_Key = tuple[int | None, str]


def _given(attempt: Attempt) -> _Given:
    headers = {} if attempt.content_type is None else {"content-type": attempt.content_type}
    return _Given(status=attempt.status or 0, headers=headers, body=attempt.body.encode())
