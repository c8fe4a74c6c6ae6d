"""A witness of every answer of a run: what must hold for all of them is looked for in each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from harness.contract.judge import OK, Answered, Violation, demand, judge_error_body, shown
from harness.contract.keys import Refusals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ID = "x-request-id"
_ID_LONGEST = 128
# A server may call a longer header too large, and refuse it itself, with any body.
_HEADER_LONGEST = 1_024
# Short ids that are drawn at random meet now and then among thousands, and nothing forbids it.
_REPEATED_MOST = 0.01


class Asked(Protocol):
    """A request, as far as a witness needs it."""

    @property
    def method(self) -> str:
        """The method."""

    @property
    def path(self) -> str:
        """The path."""

    @property
    def headers(self) -> Mapping[str, str | None]:
        """The headers that were set."""


class Exchanged(Protocol):
    """A request and its answer."""

    @property
    def request(self) -> Asked:
        """What was asked."""

    @property
    def answer(self) -> Answered:
        """What was answered."""


@dataclass(slots=True)
class Witness:
    """Keeps the first breach of each kind, and the ids that were made up; several threads may tell it at once."""

    promise: Refusals = field(default_factory=Refusals)
    seen: int = 0
    _broken: dict[tuple[str, str], tuple[Violation, Exchanged]] = field(default_factory=dict)
    _made_up: set[str] = field(default_factory=set)
    _repeated: list[tuple[Violation, Exchanged]] = field(default_factory=list)

    def see(self, exchange: Exchanged) -> None:
        """Look at an exchange."""
        request = exchange.request
        # TRACE, and what is too large, a server may refuse by itself.
        if request.method == "TRACE" or any(len(value or "") > _HEADER_LONGEST for value in request.headers.values()):
            return
        self.seen += 1
        for violation in (*self._of_id(exchange), *_of_body(exchange, self.promise)):
            self._broken.setdefault((violation.rule, violation.expected), (violation, exchange))

    def demand_all_kept(self) -> None:
        """Raise `Violated` where any answer broke what holds for all; the first to do so can be repeated."""
        are_too_many = len(self._repeated) > _REPEATED_MOST * (len(self._made_up) + len(self._repeated))
        found = [*self._broken.values(), *(self._repeated[:1] if are_too_many else [])]
        demand([violation for violation, _ in found], found[0][1] if found else None)

    def _of_id(self, exchange: Exchanged) -> Iterator[Violation]:
        """C11: an id that was sent comes back, and one that was not is made up, each time anew."""
        sent = {name.lower(): value for name, value in exchange.request.headers.items()}.get(_ID)
        got = exchange.answer.headers.get(_ID, "")
        actual = f"X-Request-Id: {got!r} on {shown(exchange.answer)}"
        if sent is None:
            if not got:
                yield Violation(rule="C11", expected="an X-Request-Id on every answer", actual=actual)
            elif got in self._made_up:
                wrong = Violation(rule="C11", expected="an X-Request-Id of its own for each request", actual=actual)
                self._repeated.append((wrong, exchange))
            self._made_up.add(got)
        elif _is_fit(sent) and got != sent:
            yield Violation(rule="C11", expected="the X-Request-Id that was sent on every answer", actual=actual)


def _is_fit(sent: str) -> bool:
    return 0 < len(sent) <= _ID_LONGEST and sent.isascii() and sent.isprintable() and sent == sent.strip()


def _of_body(exchange: Exchanged, promise: Refusals) -> list[Violation]:
    """C10: whatever is not 2xx has the error body."""
    request, answer = exchange.request, exchange.answer
    is_refused = answer.status // 100 != OK // 100
    return judge_error_body(answer, promise, sent=request.path) if is_refused and request.method != "HEAD" else []
