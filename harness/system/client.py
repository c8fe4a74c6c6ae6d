"""The door to HTTP: one request, one answer, both kept as values that can be judged and repeated."""

from __future__ import annotations

import hashlib
import shlex
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import default_headers
from urllib3.exceptions import HTTPError

from harness.contract.records import Codec, Window, content_type, encode
from harness.system.patience import SPAN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.contract.profile import Profile
    from harness.system.patience import Patience

Failure = Literal["refused", "closed", "timed out"]
_INLINE_BYTES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent; a header of None is left out even where the library would add one."""

    method: str
    path: str
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def kept_body(self) -> tuple[str, bytes] | None:
        """The file that `curl` names, and what has to stand in it; None where the line holds the body itself."""
        return (body_file(self.body), self.body) if self.body is not None and len(self.body) > _INLINE_BYTES else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names are lower case, `elapsed_s` runs from the first byte sent to the last received."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request with its answer, and the line that repeats it."""

    url: str
    request: Request
    answer: Answer

    @property
    def kept_body(self) -> tuple[str, bytes] | None:
        """The file that `curl` names, and what has to stand in it."""
        return self.request.kept_body

    @property
    def curl(self) -> str:
        """The shell line that sends the same request again."""
        return curl_line(self.url, self.request)


def curl_line(url: str, request: Request) -> str:
    """Return the shell line that sends a request to a base URL."""
    words = ["curl", "-isS", "-X", request.method, f"{url}{request.path}"]
    for name, value in request.headers.items():
        words += ["-H", f"{name}: {value}" if value is not None else f"{name}:"]
    if request.body is not None:
        words += ["--data-binary", _shown(request.body)]
    return shlex.join(words)


class NoAnswer(Exception):  # noqa: N818 - named by what happened
    """The sut gave no whole answer: it refused the connection, closed it, or let the budget pass."""

    def __init__(self, failure: Failure, request: Request, elapsed_s: float, detail: str, *, url: str = "") -> None:
        """Keep which failure it was, for what request to which base URL, and after how long."""
        super().__init__(f"{request.method} {request.path}: {failure} after {elapsed_s:.3f} s ({detail})")
        self.failure = failure
        self.request = request
        self.elapsed_s = elapsed_s
        self.curl = curl_line(url, request) if url else ""


class Client:
    """Talks to one sut over kept-alive connections; one client a thread."""

    def __init__(
        self,
        url: str,
        profile: Profile,
        *,
        patience: Patience | None = None,
        tell: Callable[[Exchange], None] | None = None,
    ) -> None:
        """Take the base URL of the sut, without a trailing slash needed.

        With `patience` a request that is shed for overload goes out again; a ping never does. `tell` is told of every
        exchange.
        """
        self.url = url.rstrip("/")
        self.profile = profile
        self._patience = patience
        self._tell = tell
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=4, max_retries=0)

    def send(self, request: Request, *, timeout_s: float | None = None) -> Exchange:
        """Send a request and return the exchange; raise `NoAnswer` where no whole answer came."""
        exchange, until_s = self._send_over_kept(request, timeout_s), time.monotonic() + SPAN_S
        while self._bears(exchange) and time.monotonic() < until_s:
            exchange = self._send_over_kept(request, timeout_s)
        return exchange

    def _bears(self, exchange: Exchange) -> bool:
        is_ping = exchange.request.path.partition("?")[0] == self.profile.http.ping_path
        return self._patience is not None and not is_ping and self._patience.bears(exchange.answer)

    def _send_over_kept(self, request: Request, timeout_s: float | None) -> Exchange:
        """Send once, over the connection that is kept where there is one.

        A kept-alive connection that the server closed while it was idle says nothing about the request: where the
        connection was not new, the request goes out once more on a new one.
        """
        connections_before = self._connections_made()
        try:
            return self._send_once(request, timeout_s)
        except NoAnswer as failure:
            was_reused = connections_before > 0 and self._connections_made() == connections_before
            if failure.failure != "closed" or not was_reused:
                raise
        self._adapter.close()
        return self._send_once(request, timeout_s)

    def ping(self, *, by_head: bool = False, timeout_s: float | None = None) -> Exchange:
        """Send the ping; it may take as long as the profile grants unless told otherwise."""
        request = Request(method="HEAD" if by_head else "GET", path=self.profile.http.ping_path)
        return self.send(request, timeout_s=self.profile.http.ping_s if timeout_s is None else timeout_s)

    def invoke(
        self,
        body: bytes | None,
        kind: str | None = "",
        *,
        headers: Mapping[str, str | None] | None = None,
        timeout_s: float | None = None,
    ) -> Exchange:
        """Send bytes to the invocations route; an empty `kind` is the type that the container takes first."""
        all_headers = {"Content-Type": content_type(self.profile.window) if kind == "" else kind, **(headers or {})}
        request = Request(method="POST", path=self.profile.http.invocations_path, headers=all_headers, body=body)
        return self.send(request, timeout_s=timeout_s)

    def predict(self, window: Window, codec: Codec = "json", *, timeout_s: float | None = None) -> Exchange:
        """Send a window, encoded as JSON or CSV."""
        rule = self.profile.window
        return self.invoke(encode(rule, window, codec), content_type(rule, codec), timeout_s=timeout_s)

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()

    def _send_once(self, request: Request, timeout_s: float | None) -> Exchange:
        budget_s = self.profile.http.hang_s if timeout_s is None else timeout_s
        started_s = time.perf_counter()
        try:
            response = self._adapter.send(_prepared(self.url, request), timeout=budget_s)
            body = response.content
        except requests.RequestException as error:
            elapsed_s = time.perf_counter() - started_s
            raise NoAnswer(_failure(error), request, elapsed_s, _innermost(error), url=self.url) from error
        answer = Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=body,
            elapsed_s=time.perf_counter() - started_s,
        )
        exchange = Exchange(url=self.url, request=request, answer=answer)
        if self._tell is not None:
            self._tell(exchange)
        return exchange

    def _connections_made(self) -> int:
        pools = self._adapter.poolmanager.pools
        return sum(pools[key].num_connections for key in pools.keys())  # noqa: SIM118 - urllib3's container has no iteration


def _prepared(url: str, request: Request) -> requests.PreparedRequest:
    """Prepare a request as a session does that has no cookies and follows no redirect.

    A session asks its settings and the environment anew for each request: that costs more than sending it.
    """
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url, headers = _place(f"{url}{request.path}")
    prepared.headers = CaseInsensitiveDict(headers)
    for name, value in request.headers.items():
        if value is None:
            prepared.headers.pop(name, None)
        else:
            prepared.headers[name] = value
    prepared.prepare_body(request.body, files=None)
    return prepared


@lru_cache(maxsize=256)
def _place(address: str) -> tuple[str, Mapping[str, str]]:
    """Return a URL in its normal form, and the headers that requests sends to it: its user's name among them."""
    prepared = requests.Request("GET", address, headers=dict(default_headers())).prepare()
    return str(prepared.url), dict(prepared.headers)


def fetch(url: str, *, timeout_s: float, limit_bytes: int) -> Answer:
    """Get what lies at an address that is no sut's, through the environment's proxies; raise `NoAnswer` likewise.

    Of a longer body than the limit, one byte more than that is returned.
    """
    began_s = time.perf_counter()
    try:
        with requests.get(url, timeout=timeout_s, stream=True) as response:
            body = response.raw.read(limit_bytes + 1, decode_content=True)
    except (requests.RequestException, OSError, HTTPError) as error:
        request = Request(method="GET", path=urlsplit(url).path or "/")
        failure = _failure(error) if isinstance(error, requests.RequestException) else "closed"
        raise NoAnswer(failure, request, time.perf_counter() - began_s, type(error).__name__) from error
    headers = {name.lower(): value for name, value in response.headers.items()}
    elapsed_s = time.perf_counter() - began_s
    return Answer(status=response.status_code, headers=headers, body=body, elapsed_s=elapsed_s)


def _failure(error: requests.RequestException) -> Failure:
    if isinstance(error, requests.Timeout):
        return "timed out"
    return "refused" if "NewConnectionError" in repr(error) else "closed"


def _innermost(error: BaseException) -> str:
    while error.__context__ is not None:
        error = error.__context__
    return f"{type(error).__name__}: {error}"


def _shown(body: bytes) -> str:
    return body.decode("utf-8", "backslashreplace") if len(body) <= _INLINE_BYTES else f"@{body_file(body)}"


def body_file(body: bytes) -> str:
    """Name the file, below a report's folder, that keeps a body too long for a command line."""
    return f"failures/{hashlib.sha256(body).hexdigest()[:12]}.body"
