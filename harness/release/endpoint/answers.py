"""What callers are answered: the shapes, codes and headers of SageMaker Runtime."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from aiohttp.web import Response

if TYPE_CHECKING:
    from harness.release.endpoint.asking import Reply

VARIANT = "x-Amzn-Invoked-Production-Variant"
RETRY_AFTER_S = 1
# No account, no region: none of this leaves the machine.
_ACCOUNT, _REGION = "000000000000", "local"
_MOST_MESSAGE = 2048


class Refused(Exception):  # noqa: N818 - named by what happened
    """A call that no container gets; `answer` says why."""

    def __init__(self, answer: Response) -> None:
        """Keep the answer."""
        super().__init__(answer.status)
        self.answer = answer


def success(reply: Reply, variant: str, attributes: str) -> Response:
    """Return a container's answer as the caller gets it; custom attributes only where the container set them."""
    headers = {VARIANT: variant, "x-amzn-RequestId": str(uuid.uuid4())}
    for name in ("Content-Type", attributes):
        if name in reply.headers:
            headers[name] = reply.headers[name]
    return Response(body=reply.body, headers=headers)


def model_error(reply: Reply, *, endpoint: str, variant: str) -> Response:
    """Return what becomes of a container's error, or of its silence: 424, the original inside."""
    kind = "client" if reply.outcome == "4xx" else "server"
    original = reply.body.decode("utf-8", "replace")[:_MOST_MESSAGE]
    log = f"/aws/sagemaker/Endpoints/{endpoint}"
    message = f'Received {kind} error ({reply.status}) from primary with message "{original}".'
    content = {
        "ErrorCode": "CLIENT_ERROR_FROM_MODEL" if kind == "client" else "INTERNAL_FAILURE_FROM_MODEL",
        "LogStreamArn": f"arn:aws:logs:{_REGION}:{_ACCOUNT}:log-group:{log}:log-stream:{variant}/{reply.container}",
        "Message": f"{message} See the log of {reply.container}."[:_MOST_MESSAGE],
        "OriginalMessage": original,
        "OriginalStatusCode": reply.status,
    }
    return _error(424, "ModelError", content, {VARIANT: variant})


def invalid(message: str) -> Response:
    """Return the refusal of a call that names what is not there, or is itself none."""
    return _error(400, "ValidationError", {"Message": message})


def unavailable(message: str) -> Response:
    """Return what a caller gets while no container is ready."""
    return _error(503, "ServiceUnavailable", {"Message": message}, {"Retry-After": str(RETRY_AFTER_S)})


def oversize(limit_bytes: int) -> Response:
    """Return the refusal of a body over the limit: its rest is not read. It is text, as the service's own is."""
    text = f"HTTP content length exceeded {limit_bytes} bytes."
    answer = Response(status=413, text=text, headers={"x-amzn-RequestId": str(uuid.uuid4())})
    answer.force_close()
    return answer


def unknown_operation(method: str, path: str) -> Response:
    """Return the refusal of what is no operation of this service, or none that a local endpoint has."""
    return _error(404, "UnknownOperationException", {"Message": f"{method} {path} is no operation of this endpoint."})


def arn_of(endpoint: str) -> str:
    """Return the name that an endpoint would have in an account."""
    return f"arn:aws:sagemaker:{_REGION}:{_ACCOUNT}:endpoint/{endpoint}"


def _error(status: int, code: str, content: dict[str, str | int], headers: dict[str, str] | None = None) -> Response:
    return Response(
        status=status,
        body=json.dumps(content).encode(),
        content_type="application/json",
        headers={"x-amzn-ErrorType": code, "x-amzn-RequestId": str(uuid.uuid4()), **(headers or {})},
    )
