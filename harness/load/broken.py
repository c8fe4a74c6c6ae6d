"""Requests that are broken on purpose, one rule each: under load too they are refused, and for the right reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.data_rules import allowed_dimensions, broken_rules
from harness.contract.judge import UNAVAILABLE, UNPROCESSABLE, Answered, Violation, judge_refusal
from harness.contract.records import SECOND_NS, Record, Window, encode, moment_ns, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.profile import Profile, WindowRule
    from harness.contract.records import Codec

_MALFORMED = 400
_CUT_BYTES = 20
_STALE_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to break a window: the rule, an edit of its records, and how many bytes the body lacks at its end."""

    rule: str
    edit: Callable[[WindowRule, list[Record]], list[Record]] = lambda _, records: records
    cut_bytes: int = 0


def _without_close(rule: WindowRule, records: list[Record]) -> list[Record]:
    return [*records[:-1], {**records[-1], rule.target: None}]


def _negative_low(rule: WindowRule, records: list[Record]) -> list[Record]:
    middle = len(records) // 2
    return [*records[:middle], {**records[middle], rule.named("low", "close", "value"): -1.0}, *records[middle + 1 :]]


def _stale(rule: WindowRule, records: list[Record]) -> list[Record]:
    by_ns = round((rule.max_age_s + _STALE_S) * SECOND_NS)
    times = rule.of_kind("timestamp")
    return [{**one, **{name: timestamp((moment_ns(one[name]) or 0) - by_ns) for name in times}} for one in records]


WAYS: dict[str, Way] = {
    "cut short": Way(rule="C9", cut_bytes=_CUT_BYTES),
    "a price below zero": Way(rule="D3", edit=_negative_low),
    "a null": Way(rule="D4", edit=_without_close),
    "a record short": Way(rule="D5", edit=lambda _, records: records[1:]),
    "newest first": Way(rule="D7", edit=lambda _, records: records[::-1]),
    "too old": Way(rule="D9", edit=_stale),
}


def ways_for(profile: Profile, window: Window, *, now_s: float) -> tuple[str, ...]:
    """Return the ways that break this profile's windows: its fields may lack a limit, and its rules may be waived."""
    rule = profile.window
    return tuple(
        name
        for name, way in WAYS.items()
        if way.rule not in profile.waived
        and (
            (way.cut_bytes and rule.csv == "body")
            or broken_rules(rule.as_sent, break_window(name, rule, window), now_s=now_s)
        )
    )


def break_window(way: str, rule: WindowRule, window: Window) -> Window:
    """Return the window, broken in that way; what is cut short is cut from its bytes alone."""
    return Window(records=tuple(WAYS[way].edit(rule, window.editable())))


def broken_body(way: str, rule: WindowRule, window: Window, codec: Codec) -> bytes:
    """Return the body that carries a window broken in that way."""
    body = encode(rule, break_window(way, rule, window), codec)
    return body[: len(body) - WAYS[way].cut_bytes]


def judge_broken(way: str, profile: Profile, window: Window, answer: Answered, *, now_s: float) -> list[Violation]:
    """Judge the answer to a window broken in that way at a moment (Unix time); overload is no wrong refusal."""
    if answer.status == UNAVAILABLE:
        return []
    rule, promise = profile.window, profile.refusals
    if WAYS[way].cut_bytes:
        return judge_refusal(answer, promise, rule=WAYS[way].rule, status=(_MALFORMED,))
    dimensions = allowed_dimensions(broken_rules(rule, break_window(way, rule, window), now_s=now_s))
    return judge_refusal(answer, promise, rule=WAYS[way].rule, status=(UNPROCESSABLE,), dimensions=dimensions)
