"""The door to Slack: one call in, one reply out, whatever happens on the way; retries are the caller's."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import urlsplit

from harness.alerts.reply import Kind, Reply, bounded, silent_logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk import WebClient

_URL = "https://slack.com/api/"
_TRANSIENT = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_THROTTLED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_OF_A_POST = ("text", "blocks", "unfurl_links", "unfurl_media")  # what a webhook takes


class SlackDoor:
    """Calls Slack's Web API with a bot token; slack_sdk is imported at the first call."""

    def __init__(self, token: str, *, base_url: str | None = None) -> None:
        self._token = token
        self._base_url = base_url or _URL

    def call(self, method: str, arguments: Mapping[str, Any], *, timeout_s: float) -> Reply:
        """Call one method, e.g. "chat.postMessage", and reply within the timeout, without raising."""
        if not (self._token.isascii() and self._token.isprintable()):  # it fits no header, and the error would show it
            return Reply(kind="rejected", error="invalid_auth")
        return bounded(lambda: self._ask(method, dict(arguments), timeout_s), timeout_s=timeout_s)

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

        client = WebClient(token=self._token, base_url=self._base_url, retry_handlers=[], logger=silent_logger())
        client.timeout = timeout_s  # type: ignore[assignment]  # fractions are fine: it goes to the socket
        client.proxy = None  # slack_sdk does not know NO_PROXY; urllib reads the same variables, and does
        return client


class WebhookDoor:
    """Posts through an incoming webhook, whose address is its secret; it takes messages, and does nothing else."""

    def __init__(self, url: str) -> None:
        self._url = url

    def call(self, method: str, arguments: Mapping[str, Any], *, timeout_s: float) -> Reply:
        """Post the content of a chat.postMessage; anything else is refused. It never raises."""
        if method != "chat.postMessage":
            return Reply(kind="rejected", error="a webhook only posts")
        if not _is_address(self._url):
            return Reply(kind="rejected", error="invalid_webhook")
        content = {name: arguments[name] for name in _OF_A_POST if name in arguments}
        return bounded(lambda: self._ask(content, timeout_s), timeout_s=timeout_s)

    def _ask(self, content: dict[str, Any], timeout_s: float) -> Reply:
        from slack_sdk import WebhookClient  # noqa: PLC0415 - imported where it is needed, as above

        try:
            client = WebhookClient(self._url, retry_handlers=[], logger=silent_logger())
            client.timeout = timeout_s  # type: ignore[assignment]  # as above
            client.proxy = None
            response = client.send_dict(content)
        except URLError as error:
            return Reply(kind="not sent", error=str(error.reason))
        except Exception as error:  # noqa: BLE001 - whatever the network does, the run goes on
            return Reply(kind="unclear", error=type(error).__name__)  # its text may hold the address
        headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
        return _of_webhook(int(response.status_code), str(response.body), headers.get("retry-after"))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return url.isascii() and url.isprintable() and parts.scheme in ("http", "https") and bool(parts.hostname)


def _of_webhook(status: int, text: str, retry_after: str | None) -> Reply:
    if status == HTTPStatus.OK:
        of_another = Reply(kind="unclear", error="HTTP 200, not by Slack: a proxy's page?")
        return Reply(kind="ok") if text.strip() == "ok" else of_another
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Reply(kind="throttled", error="rate limited", retry_after=retry_after)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Reply(kind="down", error=f"HTTP {status}")
    reason = text.strip()
    return Reply(kind="rejected", error=reason if reason.isidentifier() else f"HTTP {status}")


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
