"""What the checks on bare bytes stand on: where to send, a good window, and how to judge what came."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, cast
from urllib.parse import urljoin, urlsplit

import pytest

from harness.contract.judge import OK, Violated, Violation, demand, judge_error_body, judge_refusal, shown
from harness.contract.records import content_type, encode
from harness.system.patience import SPAN_S, is_shed
from harness.system.wire import NotPlain, Place, Talk, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from harness.contract.profile import Profile, Refusals
    from harness.contract.records import Codec, Window
    from harness.system.client import Answer, Client
    from harness.system.patience import Patience

    Asked = ParamSpec("Asked")

JSON = "Content-Type: application/json"
# Who waits for more of what is no whole request is told after this time that there is no more.
SOON_S = 0.3
# A server that waits for more of a request is soon told that no more will come.
_UNTIL_THE_END_S = 0.1
REFUSED_BY_THE_SERVER = {*range(400, 500), 501, 505}
_NOT_FOUND, _BAD_REQUEST = 404, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where to send, how long to wait, and whether the sut still serves."""

    place: Place
    profile: Profile
    fresh_window: Callable[[], Window]
    fresh_client: Callable[[], Client]
    patience: Patience

    @classmethod
    def at(
        cls,
        url: str,
        profile: Profile,
        fresh_window: Callable[[], Window],
        fresh_client: Callable[[], Client],
        patience: Patience,
    ) -> Ground:
        """Take a sut's URL; without plain HTTP the check is skipped."""
        try:
            place = Place.of(url)
        except NotPlain as error:
            pytest.skip(str(error))
        return cls(
            place=place, profile=profile, fresh_window=fresh_window, fresh_client=fresh_client, patience=patience
        )

    def good(self, codec: Codec = "json") -> bytes:
        """Encode a good window."""
        return encode(self.profile.window, self.fresh_window(), codec)

    def kind(self, codec: Codec = "json") -> str:
        """Write the header that says what type a good window's body is of."""
        return f"Content-Type: {content_type(self.profile.window, codec)}"

    def connect(self) -> Wire:
        """Open a connection."""
        return Wire(self.place, patience_s=self.profile.http.hang_s)

    def ping(self, *fields: str) -> bytes:
        """Write a well-formed ping."""
        return self.place.head("GET", self.profile.http.ping_path, *fields)

    def invocation(self, body: bytes, *fields: str) -> bytes:
        """Write an invocation with just these fields."""
        return self.place.head("POST", self.profile.http.invocations_path, *fields) + body

    def whole(self, body: bytes, *fields: str, kind: str = "") -> bytes:
        """Write an invocation with its type and its length."""
        return self.invocation(body, kind or self.kind(), f"Content-Length: {len(body)}", *fields)

    def ask(self, content: bytes) -> tuple[Answer | None, Talk]:
        """Send a request on a connection of its own; once more where a reset tore away what may have been answered."""
        answer, talk = self._ask_once(content)
        if answer is None and talk.standing == "reset":
            return self._ask_once(content)
        return answer, talk

    def ask_to_the_end(self, content: bytes) -> tuple[Answer | None, Talk]:
        """Send what may be no whole request, and say after a while that no more will come."""
        with self.connect() as wire:
            wire.send(content)
            answer = wire.read_to_the_end(within_s=_UNTIL_THE_END_S)
        return answer, wire.talk

    def bears(self, talk: Talk) -> bool:
        """Wait where an answer asks for it, and say that the same may be tried again."""
        return any(self.patience.bears(answer) for answer in talk.answers if is_shed(answer))

    def demand_it_serves(self, talk: Talk) -> None:
        """Demand that after all that was said a good window gets its 200 on a new connection."""
        client = self.fresh_client()
        try:
            exchange = client.predict(self.fresh_window())
        finally:
            client.close()
        expected = "200 to a good window on a new connection after it"
        wrong = Violation(rule="R1", expected=expected, actual=shown(exchange.answer))
        demand([] if exchange.answer.status == OK else [wrong], talk)

    def _ask_once(self, content: bytes) -> tuple[Answer | None, Talk]:
        with self.connect() as wire:
            wire.send(content)
            answer = wire.read()
        return answer, wire.talk


def unhurried(check: Callable[Asked, None]) -> Callable[Asked, None]:
    """Repeat a check of bare bytes where the container had too much to do, as the patient client does with requests."""

    @functools.wraps(check)
    def insisting(*args: Asked.args, **kwargs: Asked.kwargs) -> None:
        ground, until_s = cast("Ground", kwargs["ground"]), time.monotonic() + SPAN_S
        while True:
            try:
                return check(*args, **kwargs)
            except Violated as violated:
                talk = violated.exchange
                is_over = time.monotonic() >= until_s
                if is_over or not isinstance(talk, Talk) or not ground.bears(talk):
                    raise

    return insisting


def judge_hang(talk: Talk) -> list[Violation]:
    """Judge silence: neither an answer nor the end of the connection."""
    hung = Violation(rule="C13", expected="an answer or the end of the connection", actual=str(talk))
    return [hung] if talk.standing == "silent" else []


def judge_good(answer: Answer | None, talk: Talk, *, rule: str = "R1") -> list[Violation]:
    """Judge the answer to a well-formed request with a good window."""
    wrong = Violation(rule=rule, expected="200 to a good window", actual=str(talk))
    return [*([] if answer and answer.status == OK else [wrong]), *judge_hang(talk)]


def judge_answered(
    answer: Answer | None, talk: Talk, promise: Refusals, *, rule: str, status: Collection[int]
) -> list[Violation]:
    """Judge a refusal by the container: one of these statuses, with an error body."""
    if answer is not None:
        return judge_refusal(answer, promise, rule=rule, status=status)
    wanted = " or ".join(str(number) for number in sorted(status))
    return [Violation(rule=rule, expected=f"status {wanted}", actual=str(talk)), *judge_hang(talk)]


def judge_turned_away(
    answer: Answer | None, talk: Talk, *, rule: str = "C10", also: Collection[int] = ()
) -> list[Violation]:
    """Judge a refusal by the server itself: any 4xx, 501 or 505 with any body, or the end of the connection."""
    ended = answer is None and talk.standing not in ("silent", "refused")
    if ended or (answer is not None and answer.status in {*REFUSED_BY_THE_SERVER, *also}):
        return []
    wanted = "".join(f"{status}, " for status in sorted(also)) + "4xx, 501, 505 or the end of the connection"
    return [Violation(rule=rule, expected=wanted, actual=str(talk)), *judge_hang(talk)]


def judge_path(answer: Answer | None, talk: Talk, promise: Refusals, *, home: str) -> list[Violation]:
    """Judge the answer to a path that may stand for `home`: what that gets, a way there, 404, or a server's 400."""
    wrong = Violation(rule="C7", expected=f"404, or what {home} gets, or a redirection there", actual=str(talk))
    if answer is None:
        return [wrong, *judge_hang(talk)]
    if answer.status == _NOT_FOUND:
        return judge_error_body(answer, promise)
    where = urlsplit(urljoin(f"http://{talk.place.authority}/", answer.headers.get("location", "")))
    leads_home = answer.status in (301, 302, 307, 308) and where.path == home
    return [] if answer.status in (OK, _BAD_REQUEST) or leads_home else [wrong]
