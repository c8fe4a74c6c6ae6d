"""From an invocation to what is seen of it: did it fail, does the answer keep the contract, how far off is it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.contract.answer_path import at_path
from harness.contract.judge import OK, json_of, judge_prediction, prediction_of
from harness.contract.records import Window
from harness.release.rollout.record import Reference, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract.profile import Profile
    from harness.release.endpoint import Invocation
    from harness.release.rollout.asks import Ask

_BPS = 1e4
# A prediction further off, in hundredths of a percent, is wrong enough; its square is still a number.
_BEYOND_BPS = 1e30
_NO_ANSWER = ("timed out", "lost", "unavailable")
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class _Heard:
    """An answer, as far as judging needs it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Reads invocations under one promise."""

    profile: Profile

    def seen(
        self,
        one: Invocation,
        *,
        at_s: float,
        share: float,
        is_challenger: bool,
        ask: Ask | None,
        check: Invocation | None,
    ) -> Seen:
        """Return what is seen of a call.

        `ask` is what was asked where we asked it ourselves; `check` is what the champion was asked again with the same
        window.
        """
        window = self._window(one)
        is_error = one.outcome not in ("ok", "4xx")
        return Seen(
            at_s=at_s,
            is_challenger=is_challenger,
            share=share,
            is_error=is_error,
            is_late=one.latency_s > self.profile.http.budget_s or one.outcome in _NO_ANSWER,
            status=one.status,
            wrong="" if is_error or not is_challenger else self._wrong(one, window, is_ours=ask is not None),
            miss_bps=self._miss_bps(_heard(one), ask),
            naive_bps=None if ask is None or ask.truth is None else _bps(ask.last - ask.truth, ask.last),
            reference=None if check is None else self._reference(one, check, ask, window),
        )

    def _wrong(self, one: Invocation, window: Window | None, *, is_ours: bool) -> str:
        """Say which promise an answer breaks; a refusal breaks one only where the window is known to be good."""
        if window is None or (one.status != OK and not is_ours):
            return ""
        broken = judge_prediction(window, _heard(one), self.profile)
        return str(broken[0])[:_SHOWN] if broken else ""

    def _reference(self, one: Invocation, check: Invocation, ask: Ask | None, window: Window | None) -> Reference:
        ours, theirs = prediction_of(_heard(one), self.profile), prediction_of(_heard(check), self.profile)
        last = self._last(window)
        is_comparable = ours is not None and theirs is not None and last is not None
        return Reference(
            status=check.status,
            miss_bps=self._miss_bps(_heard(check), ask),
            apart_bps=_bps(abs(ours - theirs), last) if is_comparable else None,  # type: ignore[operator,arg-type]  # none is None
            is_flagged_alike=self._is_flagged(one) == self._is_flagged(check) if is_comparable else None,
        )

    def _is_flagged(self, one: Invocation) -> bool:
        return bool(at_path(json_of(_heard(one)), self.profile.answer.anomalies or "anomalies"))

    def _window(self, one: Invocation) -> Window | None:
        """Read a window as it was sent; None where it is none, or no list of records."""
        try:
            if one.content_type.startswith("text/csv"):
                return Window(records=tuple(csv.DictReader(io.StringIO(one.body.decode()))))
            if self.profile.window.json != "records":
                return None
            records = json.loads(one.body)[self.profile.window.key]
            return Window(records=tuple(dict(record) for record in records)) if records else None
        except (ValueError, KeyError, TypeError):
            return None

    def _last(self, window: Window | None) -> float | None:
        try:
            return None if window is None else float(str(window.newest(self.profile.window.target)))
        except (ValueError, KeyError, IndexError):
            return None

    def _miss_bps(self, answer: _Heard, ask: Ask | None) -> float | None:
        told = prediction_of(answer, self.profile) if answer.status == OK else None
        return None if told is None or ask is None or ask.truth is None else _bps(told - ask.truth, ask.last)


def _heard(one: Invocation) -> _Heard:
    return _Heard(one.status, one.answer)


def _bps(off: float, last: float) -> float:
    return min(max(off / last * _BPS, -_BEYOND_BPS), _BEYOND_BPS)
