"""One container is asked, within the deadline; whatever comes of it is a reply."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from harness.contract.judge import OK
from harness.release.endpoint.call import read_within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract.profile import Http
    from harness.release.endpoint.call import Call
    from harness.release.endpoint.tally import Outcome
    from harness.release.endpoint.variant import Member, Variant

# A connection that was idle for longer may be closed by the container just as it is used again.
_KEPT_IDLE_S = 1.0
_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of a call; `status` and `headers` are the container's, 0 and empty where no whole answer came."""

    outcome: Outcome
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    latency_s: float = 0.0
    container: str = ""


class Asker:
    """Asks containers over kept connections; made, used and closed in the router's thread."""

    def __init__(self, http: Http, *, deadline_s: float, payload_bytes: int) -> None:
        """Open nothing yet."""
        self._http = http
        self._deadline = ClientTimeout(total=deadline_s)
        self._deadline_s = deadline_s
        self._payload_bytes = payload_bytes
        self._session = ClientSession(
            connector=TCPConnector(limit=0, keepalive_timeout=_KEPT_IDLE_S),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_ADDED,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def ask(self, variant: Variant, call: Call) -> Reply:
        """Ask one container of a variant; another one only where the first never got the call."""
        refused: set[Member] = set()
        while (member := variant.member(but=refused)) is not None:
            member.in_flight += 1
            member.asked += 1
            try:
                return await self._ask(member, call)
            except ClientConnectorError:
                member.suspect()
                refused.add(member)
            finally:
                member.in_flight -= 1
        return Reply(outcome="unavailable")

    async def is_well(self, member: Member) -> bool:
        """Whether a ping is 200 in time."""
        limit = ClientTimeout(total=self._http.ping_s)
        try:
            async with self._session.get(member.ping, timeout=limit, allow_redirects=False) as answer:
                return answer.status == OK
        except (ClientError, TimeoutError):
            return False

    async def _ask(self, member: Member, call: Call) -> Reply:
        began_s, name = time.perf_counter(), member.instance.name
        try:
            async with self._session.post(
                member.invocations, data=call.body, headers=call.headers, timeout=self._deadline, allow_redirects=False
            ) as answer:
                body = await read_within(answer.content, self._payload_bytes)
        except TimeoutError:
            return self._silence("timed out", f"no answer within {self._deadline_s:g} s", name, began_s)
        except ClientConnectorError:
            raise
        except ClientError as error:
            member.suspect()
            return self._silence("lost", f"the connection broke: {type(error).__name__}", name, began_s)
        took_s = time.perf_counter() - began_s
        outcome = _outcome(answer.status, is_whole=body is not None)
        return Reply(
            outcome=outcome,
            status=answer.status,
            headers=answer.headers,
            body=body if body is not None else b"an answer over the payload limit",
            latency_s=took_s,
            container=name,
        )

    @staticmethod
    def _silence(outcome: Outcome, why: str, container: str, began_s: float) -> Reply:
        return Reply(outcome=outcome, body=why.encode(), latency_s=time.perf_counter() - began_s, container=container)


def _outcome(status: int, *, is_whole: bool) -> Outcome:
    if not is_whole:
        return "too large"
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own numbers
        return "ok"
    return "4xx" if 400 <= status < 500 else "5xx"  # noqa: PLR2004 - likewise
