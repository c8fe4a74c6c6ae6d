"""With which statuses what is refused: each kind of wrong request is sent; what is let through is waived for now."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.contract.judge import OK, UNAVAILABLE, dimension_of, judge_error_body, shown
from harness.contract.keys import Refusals
from harness.contract.records import content_type, encode, last_whole_second_ns
from harness.release.question import broken_questions
from harness.survey.understanding import LEVELS, window_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from harness.contract.profile import Profile
    from harness.survey.asker import Asker
    from harness.survey.findings import Findings
    from harness.system.client import Answer

_NOWHERE = "/nowhere"
_ID = "X-Request-Id"
_REFUSED, _BROKEN_DOWN = range(400, 500), 500
# Where more than this is let through, it is no promise.
_MOST = 0.5
_SHOWN = 120
_TELL_TALE = "no traceback, file path or library name"


@dataclass(slots=True, kw_only=True)
class Refusing:
    """Sends wrong requests and keeps the answers: those to the first route that predicts."""

    asker: Asker
    findings: Findings
    refused: dict[str, Answer] = field(default_factory=dict)

    def look(self) -> None:
        """Send every kind of wrong request, and write what came of it into the profile."""
        self._types()
        self._accept()
        self._paths()
        self._methods()
        self._bodies()
        self._request_ids()
        self._shape()

    @property
    def profile(self) -> Profile:
        """The profile as far as it is known."""
        return self.findings.profile

    def _types(self) -> None:
        body = self._good()
        kinds = {"Content-Type: text/plain": "text/plain", "Content-Type: application/xml": "application/xml"}
        seen = {what: self._post(body, kind) for what, kind in {**kinds, "no Content-Type": None}.items()}
        self._settle("type", "C5", seen)

    def _accept(self) -> None:
        kind = self._kind()
        seen = {
            f"Accept: {accept}": self._post(self._good(), kind, {"Accept": accept})
            for accept in ("text/html", "application/json;q=0")
        }
        self._settle("accept", "C6", seen)

    def _paths(self) -> None:
        http, body, kind = self.profile.http, self._good(), self._kind()
        below = f"{http.invocations_path.rstrip('/')}/extra"
        seen = {
            f"GET {_NOWHERE}": self.asker.ask("GET", _NOWHERE),
            f"POST {_NOWHERE}": self.asker.ask("POST", _NOWHERE, body=body, kind=kind),
            f"POST {below}": self.asker.ask("POST", below, body=body, kind=kind),
        }
        self._settle("path", "C7", seen)

    def _methods(self) -> None:
        http = self.profile.http
        wrong = [("GET", http.invocations_path), ("PUT", http.invocations_path), ("DELETE", http.ping_path)]
        seen = {f"{method} {path}": self.asker.ask(method, path) for method, path in wrong}
        self._settle("method", "C7", seen)
        for what, answer in seen.items():
            if answer is not None and answer.status in _REFUSED and "allow" not in answer.headers:
                self.findings.blame("C7", f"{what} got {answer.status} without `Allow`")
        head = self.asker.ask("HEAD", http.ping_path)
        if head is not None and head.status != OK:
            self.findings.blame("C7", f"HEAD {http.ping_path} got {head.status}, where GET gets 200")

    def _bodies(self) -> None:
        """Send windows and bodies that are broken in every kind of way, one rule each."""
        by_rule: dict[str, dict[str, Answer | None]] = defaultdict(dict)
        for question in broken_questions(self.profile, seed=1):
            broken = question.breach or question.flaw
            rule_id = broken.rule if broken is not None else ""
            content = question.body(self.profile.window, end_ns=last_whole_second_ns(time.time()))
            sent_as = content_type(self.profile.window, question.codec)
            by_rule[rule_id][question.way.partition(": ")[2]] = self._post(content, sent_as)
        malformed = by_rule.pop("C9", {})
        self._settle("malformed", "C9", malformed)
        if not malformed:
            self.findings.waive("C9", "no check breaks bodies of this form")
        self._settle_data(by_rule)

    def _settle_data(self, by_rule: Mapping[str, Mapping[str, Answer | None]]) -> None:
        """Settle each data rule by itself: the status is one, what is waived is each rule's own."""
        everything = {
            f"{rule_id}, {what}": answer for rule_id, seen in by_rule.items() for what, answer in seen.items()
        }
        for rule_id, seen in by_rule.items():
            self._waive_let_through(rule_id, seen)
        self._find("broken", everything)
        refused = [answer for answer in everything.values() if answer is not None and answer.status in _REFUSED]
        if refused:
            named = sum(dimension_of(answer) is not None for answer in refused)
            how = f"`error.dimension` was there in {named} of {len(refused)} refusals of broken windows"
            self.findings.find("refusals.dimension", named == len(refused), how)
        if by_rule and all(rule_id in self.profile.waived for rule_id in by_rule):
            self.findings.find("load.broken_share", 0, "no data rule is kept")

    def _request_ids(self) -> None:
        sent = "first-profile-1"
        asked = {
            "200": self._post(self._good(), self._kind(), {_ID: sent}),
            "404": self.asker.ask("GET", _NOWHERE, headers={_ID: sent}),
        }
        lost = [status for status, answer in asked.items() if answer and answer.headers.get(_ID.lower()) != sent]
        if lost:
            self.findings.waive("C11", f"{_ID} does not come back with {' and '.join(lost)}")

    def _shape(self) -> None:
        """Find out what all refusals have in common, the strictest first, and which of them give something away."""
        kinds: tuple[Literal["error", "json", "any"], ...] = ("error", "json", "any")
        worst = ""
        for kind in kinds:
            other = [what for what, answer in self.refused.items() if _is_otherwise(answer, Refusals(body=kind))]
            if not other:
                how = f"all {len(self.refused)} refusals are so" + (f", and no more for `{worst}`" if worst else "")
                self.findings.find("refusals.body", kind, how)
                break
            worst = other[0]
        if self.profile.refusals.body != "error" and self.profile.refusals.dimension:
            self.findings.find("refusals.dimension", False, "there is no error object to hold it")  # noqa: FBT003 - a key's value
        for what, answer in self.refused.items():
            if any(one.expected == _TELL_TALE for one in judge_error_body(answer, Refusals(body="any"))):
                said = f"the refusal of `{what}` gives away the inside: {shown(answer)[:_SHOWN]}"
                self.findings.blame("C10", said)

    def _settle(self, name: str, rule_id: str, seen: Mapping[str, Answer | None]) -> None:
        self._waive_let_through(rule_id, seen)
        self._find(name, seen)

    def _find(self, name: str, seen: Mapping[str, Answer | None]) -> None:
        """Write the statuses of a kind of refusal into the profile."""
        refused = {what: answer for what, answer in seen.items() if answer is not None and answer.status in _REFUSED}
        self.refused |= refused
        if refused:
            statuses = tuple(sorted({answer.status for answer in refused.values()}))
            how = f"{len(refused)} of {len(seen)} wrong requests got it, such as: {next(iter(refused))}"
            self.findings.find(f"refusals.{name}", statuses, how)
        else:
            self.findings.leave_open(f"`refusals.{name}`: nothing was refused so; it is as by default")

    def _waive_let_through(self, rule_id: str, seen: Mapping[str, Answer | None]) -> None:
        """Waive a rule that most of what breaks it passes; a few of many are a fault, as is a broken server."""
        for what, answer in seen.items():
            if answer is None:
                self.findings.blame("C13", f"no answer to `{what}`")
            elif answer.status >= _BROKEN_DOWN and answer.status != UNAVAILABLE:
                said = f"{answer.status}, which says that the server broke: {shown(answer)[:_SHOWN]}"
                self.findings.blame(rule_id, f"`{what}` got {said}")
        let = {
            what: answer.status for what, answer in seen.items() if answer is not None and answer.status < _REFUSED[0]
        }
        if let:
            first, status = next(iter(let.items()))
            said = f"`{first}` was answered with {status}, one of {len(let)} such requests among {len(seen)}"
            if len(let) > len(seen) * _MOST:
                self.findings.waive(rule_id, f"for now: {said}")
            else:
                self.findings.blame(rule_id, said)

    def _post(self, body: bytes, kind: str | None, headers: Mapping[str, str] | None = None) -> Answer | None:
        return self.asker.ask("POST", self.profile.http.invocations_path, body=body, kind=kind, headers=headers)

    def _good(self) -> bytes:
        rule = self.profile.window
        return encode(rule, window_at(self.profile, LEVELS[0]), rule.codecs[0])

    def _kind(self) -> str:
        rule = self.profile.window
        return content_type(rule, rule.codecs[0])


def _is_otherwise(answer: Answer, promise: Refusals) -> bool:
    return any(one.expected != _TELL_TALE for one in judge_error_body(answer, promise))
