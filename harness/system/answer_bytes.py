"""Answers as bytes: find the HTTP/1.1 answer that bytes begin with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_FINAL = 200
_SHOWN_BYTES = 200
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_TRAILERS = re.compile(rb"(?:[^\r\n]+\r\n)*\r\n")
_NO_BODY = (204, 304)


class NotHttp(ValueError):  # noqa: N818 - named by what it is
    """What came is no answer in HTTP/1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An answer at the start of what came: `size` is how many bytes it takes up."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    size: int
    is_kept: bool


def find(came: bytes, *, is_head: bool, is_ended: bool) -> Found | None:
    """Find the answer that bytes begin with; None while it is not whole; raise `NotHttp` where it is none."""
    head = _HEAD_END.search(came)
    if head is None:
        if not b"HTTP/1.".startswith(came[:7]):
            raise NotHttp(came[:_SHOWN_BYTES])
        return None
    status_line = _STATUS_LINE.match(came)
    if status_line is None:
        raise NotHttp(came[:_SHOWN_BYTES])
    status = int(status_line[2])
    headers = _headers(came[status_line.end() : head.start()])
    rest = came[head.end() :]
    if is_head or status < FIRST_FINAL or status in _NO_BODY:
        body, used, is_delimited = b"", 0, True
    else:
        measured = _body(headers, rest, is_ended=is_ended)
        if measured is None:
            return None
        body, used, is_delimited = measured
    asked = {word.strip().lower() for word in headers.get("connection", "").split(",")}
    is_kept = is_delimited and "close" not in asked and (status_line[1] == b"1" or "keep-alive" in asked)
    return Found(status=status, headers=headers, body=body, size=head.end() + used, is_kept=is_kept)


def _headers(block: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    # Not `splitlines`: it ends lines at bytes too that RFC 9110 allows within a value.
    for line in re.split(r"\r\n|\r|\n", block.decode("latin-1")):
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise NotHttp(line)
        name = name.strip().lower()
        value = value.strip(" \t")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _body(headers: Mapping[str, str], rest: bytes, *, is_ended: bool) -> tuple[bytes, int, bool] | None:
    """Return a body, the bytes that it takes up, and whether it says where it ends; None while it is not whole."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _dechunked(rest)
    length = headers.get("content-length")
    if length is None:
        return (rest, len(rest), False) if is_ended else None
    if not (length.isascii() and length.isdigit()):
        msg = f"content-length: {length}"
        raise NotHttp(msg)
    return (rest[: int(length)], int(length), True) if len(rest) >= int(length) else None


def _dechunked(rest: bytes) -> tuple[bytes, int, bool] | None:
    body, at = b"", 0
    while (size := _CHUNK.match(rest, at)) is not None:
        begin, end = size.end(), size.end() + int(size[1], 16)
        if begin == end:  # the last chunk: trailers, if any, and an empty line
            last = _TRAILERS.match(rest, begin)
            return (body, last.end(), True) if last else None
        body, at = body + rest[begin:end], end + len(b"\r\n")
    if b"\r\n" in rest[at:]:
        raise NotHttp(rest[at : at + _SHOWN_BYTES])
    return None
