"""Requests as bytes, for clients that send what no library would."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.contract.records import CONTENT_TYPES, build, last_whole_second_ns, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Http, Profile
    from harness.contract.series import Second


def window_of(profile: Profile, seconds: Sequence[Second]) -> bytes:
    """Return a good window that ends now, of the first seconds of a series that has enough of them."""
    window = build(profile.window, seconds[: profile.window.records], end_ns=last_whole_second_ns(time.time()))
    return to_json(profile.window, window)


def invocation(
    http: Http, body: bytes, *, keep: bool = False, length: int | None = None, with_body: bool = True
) -> bytes:
    """Return a request for a prediction; `length` is promised in place of the body's own."""
    lines = [
        f"POST {http.invocations_path} HTTP/1.1",
        "Host: sut",
        f"Content-Type: {CONTENT_TYPES['json']}",
        f"Content-Length: {len(body) if length is None else length}",
        *([] if keep else ["Connection: close"]),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + (body if with_body else b"")


def ping(http: Http) -> bytes:
    """Return a ping over a connection that is kept."""
    return f"GET {http.ping_path} HTTP/1.1\r\nHost: sut\r\n\r\n".encode()
