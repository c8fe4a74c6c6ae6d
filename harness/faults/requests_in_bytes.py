"""Requests as bytes, for clients that send what no library would."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.contract.records import build, content_type, encode, last_whole_second_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Http, Profile
    from harness.contract.records import Codec, Window
    from harness.contract.series import Second


def fresh_window(profile: Profile, seconds: Sequence[Second]) -> Window:
    """Return a good window that ends now, of the first seconds of a series that has enough of them."""
    return build(profile.window, seconds[: profile.window.records], end_ns=last_whole_second_ns(time.time()))


def window_of(profile: Profile, seconds: Sequence[Second]) -> bytes:
    """Return such a window as JSON."""
    return encode(profile.window, fresh_window(profile, seconds))


class FreshBody:
    """A good window as JSON, made anew every second: one that was made long ago would be refused for its age."""

    def __init__(self, profile: Profile, seconds: Sequence[Second]) -> None:
        self._profile, self._seconds = profile, seconds
        self._made_at, self._body = 0, b""

    def __call__(self) -> bytes:
        """Return it, of the same length each time."""
        if int(time.time()) != self._made_at:
            self._made_at, self._body = int(time.time()), window_of(self._profile, self._seconds)
        return self._body


def invocation(
    profile: Profile,
    body: bytes,
    *,
    codec: Codec = "json",
    request_id: str = "",
    keep: bool = False,
    length: int | None = None,
    with_body: bool = True,
) -> bytes:
    """Return a request for a prediction; `length` is promised in place of the body's own."""
    lines = [
        f"POST {profile.http.invocations_path} HTTP/1.1",
        "Host: sut",
        f"Content-Type: {content_type(profile.window, codec)}",
        f"Content-Length: {len(body) if length is None else length}",
        *([f"X-Request-Id: {request_id}"] if request_id else []),
        *([] if keep else ["Connection: close"]),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + (body if with_body else b"")


def last_ping(http: Http) -> bytes:
    """Return a ping after which the server is to close."""
    return f"GET {http.ping_path} HTTP/1.1\r\nHost: sut\r\nConnection: close\r\n\r\n".encode()


def ping(http: Http) -> bytes:
    """Return a ping over a connection that is kept."""
    return f"GET {http.ping_path} HTTP/1.1\r\nHost: sut\r\n\r\n".encode()
