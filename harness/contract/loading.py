"""Judge what a container answers when it cannot serve at once: while it loads, and when many ask together. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.judge import (
    OK,
    UNAVAILABLE,
    Answered,
    Violation,
    judge_error_body,
    judge_prediction,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Window

# So long may ping deny what invocations prove: a ping speaks of one moment.
_GRACE_S = 2.0
# A 200 is late from here on beyond the budget: the way to us and this machine's other work are no fault of the sut.
_SLACK_S = 1.0
_CLIENT_ERRORS = range(400, 500)
_WHOLE_SECONDS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A ping, or an invocation with a good window, and what became of it; moments are those of a monotonic clock.

    `failure` is set where no answer came.
    """

    sent_s: float
    ended_s: float
    window: Window | None = None  # None: it was a ping
    is_head: bool = False  # a ping by HEAD
    answer: Answered | None = None
    failure: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether it was answered with 200."""
        return self.answer is not None and self.answer.status == OK

    @property
    def took_s(self) -> float:
        """How long it took."""
        return self.ended_s - self.sent_s

    def __str__(self) -> str:
        ping = "a ping by HEAD" if self.is_head else "a ping"
        what = ping if self.window is None else "an invocation"
        came = shown(self.answer) if self.answer is not None else f"no answer ({self.failure})"
        return f"{came} to {what} after {self.took_s:.2f} s"


def judge_loading(seen: Sequence[Seen], profile: Profile) -> list[Violation]:
    """Judge what a container said from its start until it was ready, pings and invocations in turn."""
    in_order = sorted(seen, key=lambda one: one.sent_s)
    heads, seen = _heads(in_order), [one for one in in_order if not one.is_head]
    ready = next((place for place, one in enumerate(seen) if one.window is None and one.is_ok), len(seen))
    broken = [
        violation
        for place, one in enumerate(seen)
        if one.answer is not None or one.failure == "timed out" or place > ready
        for violation in (_ping(one, profile) if one.window is None else _invocation(one, one.window, profile))
    ]
    return _first_of_each([*broken, *_boasts(seen), *_denials(seen), *heads])


def judge_burst(seen: Sequence[Seen], profile: Profile) -> list[Violation]:
    """Judge what a ready container answered while many invocations came at once: overload is no reason for a lie."""
    broken = [violation for one in seen for violation in _under_load(one, profile)]
    return _first_of_each(broken)


def judge_unavailable(answer: Answered, profile: Profile, *, must_say_when: bool) -> list[Violation]:
    """Judge a 503: an error body (C10), and whole seconds where `Retry-After` is there or must be (C13)."""
    when = answer.headers.get("retry-after")
    is_right = not must_say_when if when is None else _WHOLE_SECONDS.fullmatch(when.strip()) is not None
    wrong = Violation(rule="C13", expected="503 with `Retry-After` in whole seconds", actual=f"Retry-After: {when!r}")
    return [*([] if is_right else [wrong]), *judge_error_body(answer, profile.refusals)]


def _ping(one: Seen, profile: Profile) -> list[Violation]:
    limit_s = profile.http.ping_s
    if one.answer is None or one.took_s > limit_s:
        return [Violation(rule="C3", expected=f"an answer to a ping within {limit_s:g} s", actual=str(one))]
    if one.answer.status == UNAVAILABLE:
        return judge_unavailable(one.answer, profile, must_say_when=False)
    wrong = Violation(rule="C3", expected="200 or 503 to a ping", actual=str(one))
    return [] if one.is_ok else [wrong]


def _invocation(
    one: Seen, window: Window, profile: Profile, *, expected: str = "200, or 503 while it loads", overload: bool = False
) -> list[Violation]:
    """Judge one invocation; it may be unavailable, and where that is for overload, it must say when to come again."""
    if one.answer is None:
        return [Violation(rule="C13", expected=f"{expected}, to an invocation", actual=str(one))]
    if one.answer.status == UNAVAILABLE:
        return judge_unavailable(one.answer, profile, must_say_when=overload)
    if one.answer.status in _CLIENT_ERRORS:
        return judge_prediction(window, one.answer, profile)
    if not one.is_ok:
        wrong = Violation(rule="C13", expected=f"{expected}, to an invocation", actual=str(one))
        return [wrong, *judge_error_body(one.answer, profile.refusals)]
    return [*judge_prediction(window, one.answer, profile), *_late(one, profile)]


def _late(one: Seen, profile: Profile) -> list[Violation]:
    limit_s = profile.http.budget_s
    wrong = Violation(rule="C13", expected=f"503 for what comes later than {limit_s:g} s", actual=str(one))
    return [wrong] if one.took_s > limit_s + _SLACK_S else []


def _under_load(one: Seen, profile: Profile) -> list[Violation]:
    if one.window is not None:
        expected = "200, or 503 with `Retry-After` under overload"
        return _invocation(one, one.window, profile, expected=expected, overload=True)
    limit_s = profile.http.ping_s
    wrong = Violation(rule="C3", expected=f"200 to a ping within {limit_s:g} s, under load too", actual=str(one))
    return [] if one.is_ok and one.took_s <= limit_s else [wrong]


def _boasts(seen: Sequence[Seen]) -> Iterator[Violation]:
    """C3: after a ping of 200 the next invocation is served."""
    said_ready = False
    for one in seen:
        if one.window is None:
            said_ready = one.is_ok
        elif said_ready and _is_failure(one):
            yield Violation(rule="C3", expected="an invocation served after a ping of 200", actual=str(one))


def _heads(seen: Sequence[Seen]) -> list[Violation]:
    """C7: HEAD gets what GET gets, where GET gets the same before and after it."""
    broken = []
    for place, one in enumerate(seen):
        if one.is_head and one.answer is not None:
            before = next((ping.answer for ping in reversed(seen[:place]) if _is_get(ping)), None)
            after = next((ping.answer for ping in seen[place:] if _is_get(ping)), None)
            if before and after and before.status == after.status != one.answer.status:
                expected = f"{before.status} to HEAD, as GET gets before and after it"
                broken.append(Violation(rule="C7", expected=expected, actual=str(one.answer.status)))
    return broken


def _is_get(one: Seen) -> bool:
    return one.window is None and not one.is_head


def _is_failure(one: Seen) -> bool:
    return one.answer is None or not (one.is_ok or one.answer.status in _CLIENT_ERRORS)


def _denials(seen: Sequence[Seen]) -> Iterator[Violation]:
    """C3: a ping is 200 soon after invocations are served."""
    served_s: float | None = None
    for one in seen:
        if one.window is not None:
            served_s = None if not one.is_ok else one.ended_s if served_s is None else served_s
        elif one.is_ok:
            served_s = None
        elif served_s is not None and one.sent_s - served_s > _GRACE_S:
            expected = f"200 to a ping within {_GRACE_S:g} s of the first invocation served"
            actual = f"{one}, {one.sent_s - served_s:.1f} s after it"
            yield Violation(rule="C3", expected=expected, actual=actual)


def _first_of_each(broken: Iterable[Violation]) -> list[Violation]:
    """Keep the first of those that say the same: one that lasts is seen many times."""
    found: dict[tuple[str, str], Violation] = {}
    for violation in broken:
        found.setdefault((violation.rule, violation.expected), violation)
    return list(found.values())
