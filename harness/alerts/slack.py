"""The door to Slack: one call in, one reply out, whatever happens on the way; retries are the caller's."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal
from urllib.error import URLError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk import WebClient

_URL = "https://slack.com/api/"
_GRACE_S = 0.5
_TRANSIENT = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_THROTTLED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})

Kind = Literal["ok", "throttled", "down", "not sent", "unclear", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How one call ended.

    ok: accepted. throttled: refused for now, `retry_after` is the header. down: a server's error, most likely not
    accepted. not sent: the request never got through. unclear: it may have been accepted. rejected: `error` says why.
    """

    kind: Kind
    error: str = ""
    retry_after: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


class SlackDoor:
    """Calls Slack's Web API with a bot token; slack_sdk is imported at the first call."""

    def __init__(self, token: str, *, base_url: str | None = None) -> None:
        self._token = token
        self._base_url = base_url or _URL

    def call(self, method: str, arguments: Mapping[str, Any], *, timeout_s: float) -> Reply:
        """Call one method, e.g. "chat.postMessage", and reply within the timeout, without raising."""
        if not (self._token.isascii() and self._token.isprintable()):  # it fits no header, and the error would show it
            return Reply(kind="rejected", error="invalid_auth")
        replies: list[Reply] = []
        caller = threading.Thread(
            target=lambda: replies.append(self._ask(method, dict(arguments), timeout_s)), daemon=True
        )
        # urllib's timeout bounds each read, and no name look-up: the thread bounds the whole.
        caller.start()
        caller.join(timeout_s + _GRACE_S)
        return replies[0] if replies else Reply(kind="unclear", error=f"no answer within {timeout_s:.0f} s")

    def _ask(self, method: str, arguments: dict[str, Any], timeout_s: float) -> Reply:
        # Imported here because it costs 0.1 s, and most runs have nothing to tell.
        from slack_sdk.errors import SlackApiError  # noqa: PLC0415

        try:
            response = self._client(timeout_s).api_call(method, **_encoded(method, arguments))
        except SlackApiError as error:
            return _refusal(error)
        except URLError as error:  # raised while connecting or sending: no whole request was read
            return Reply(kind="not sent", error=str(error.reason))
        except Exception as error:  # noqa: BLE001 - whatever the network does, the run goes on
            return Reply(kind="unclear", error=f"{type(error).__name__}: {error}")
        return Reply(kind="ok", body=_mapping(response.data))

    def _client(self, timeout_s: float) -> WebClient:
        from slack_sdk import WebClient  # noqa: PLC0415

        # slack_sdk logs bodies and errors: ours are said once, redacted, by the caller.
        silent = logging.getLogger(f"{__name__}.sdk")
        silent.setLevel(logging.CRITICAL + 1)
        client = WebClient(token=self._token, base_url=self._base_url, retry_handlers=[], logger=silent)
        client.timeout = timeout_s  # type: ignore[assignment]  # fractions are fine: it goes to the socket
        client.proxy = None  # slack_sdk does not know NO_PROXY; urllib reads the same variables, and does
        return client


def _encoded(method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    # Slack's reading methods take no JSON.
    return {"json": arguments} if method.startswith("chat.") else {"params": arguments}


def _refusal(error: Any) -> Reply:  # noqa: ANN401 - SlackApiError, whose import is delayed
    response = error.response
    body = _mapping(response.data)
    reason = str(body.get("error", "no reason given"))
    headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
    status = int(response.status_code)
    if status == HTTPStatus.TOO_MANY_REQUESTS or reason in _THROTTLED:
        return Reply(kind="throttled", error="rate limited", retry_after=headers.get("retry-after"))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or reason in _TRANSIENT:
        return Reply(kind="down", error=f"HTTP {status}" if status >= HTTPStatus.BAD_REQUEST else reason)
    if reason.startswith("Received a response in a non-JSON format"):
        kind: Kind = "unclear" if status < HTTPStatus.BAD_REQUEST else "rejected"
        return Reply(kind=kind, error=f"HTTP {status} without JSON: a proxy's page?")
    return Reply(kind="rejected", error=reason, body=body)


def _mapping(body: object) -> Mapping[str, Any]:
    return body if isinstance(body, dict) else {}
