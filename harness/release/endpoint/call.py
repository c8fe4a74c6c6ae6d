"""A call as it came in: read whole, and refused where SageMaker Runtime would refuse it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp.web import RequestPayloadError

from harness.release.endpoint.answers import Refused, invalid, oversize, unknown_operation

if TYPE_CHECKING:
    from aiohttp import StreamReader
    from aiohttp.web import BaseRequest

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_TARGET = "X-Amzn-SageMaker-Target-Variant"
_INFERENCE = "X-Amzn-SageMaker-Inference-Id"
# What a container gets to see: SageMaker strips every other header.
_PASSED = ("Content-Type", "Accept", ATTRIBUTES)
_PATH = re.compile(r"/endpoints/([^/]+)/invocations")
# As the service's own model has them.
_LIMITS = {
    ATTRIBUTES: re.compile(r"[\x20-\x7e\t]{0,1024}"),
    _INFERENCE: re.compile(r"[\x21-\x7e][\x20-\x7e]{0,63}"),
    _TARGET: re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What one caller asks; `target` is the variant that it names, "" where weights decide."""

    body: bytes
    headers: dict[str, str]
    target: str
    inference_id: str

    @property
    def content_type(self) -> str:
        """What the body is, "" where the caller does not say."""
        return self.headers.get("Content-Type", "")


async def read_call(request: BaseRequest, *, endpoint: str, payload_bytes: int) -> Call:
    """Read a call of an endpoint; raise `Refused` with the answer where it is none, or too large."""
    match = _PATH.fullmatch(request.path)
    if match is None or request.method != "POST":
        raise Refused(unknown_operation(request.method, request.path))
    if match[1] != endpoint:
        raise Refused(invalid(f"There is no endpoint {match[1]!r} here; this one is called {endpoint!r}."))
    for header, limit in _LIMITS.items():
        if header in request.headers and not limit.fullmatch(request.headers[header]):
            raise Refused(invalid(f"{header} must match {limit.pattern}"))
    body = await _body(request, payload_bytes)
    return Call(
        body=body,
        headers={name: request.headers[name] for name in _PASSED if name in request.headers},
        target=request.headers.get(_TARGET, ""),
        inference_id=request.headers.get(_INFERENCE) or uuid.uuid4().hex,
    )


async def _body(request: BaseRequest, payload_bytes: int) -> bytes:
    if (request.content_length or 0) > payload_bytes:
        raise Refused(oversize(payload_bytes))
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        body = await read_within(request.content, payload_bytes)
    except (ConnectionError, RequestPayloadError) as error:
        raise Refused(invalid(f"The body broke off: {error}")) from error
    if body is None:
        raise Refused(oversize(payload_bytes))
    return body


async def read_within(stream: StreamReader, limit_bytes: int) -> bytes | None:
    """Read a stream to its end; None where it is longer than so many bytes."""
    parts, size = [], 0
    async for part in stream.iter_any():
        size += len(part)
        if size > limit_bytes:
            return None
        parts.append(part)
    return b"".join(parts)
