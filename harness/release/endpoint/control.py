"""The two operations of SageMaker itself that a local endpoint has: describe it, and change its weights."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp.web import Response

from harness.release.endpoint.answers import arn_of
from harness.release.endpoint.call import read_within
from harness.release.endpoint.config import ConfigInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.web import BaseRequest

    from harness.release.endpoint.tally import Tally

TARGET = "X-Amz-Target"
_MOST_BYTES = 65_536


class Steered(Protocol):
    """An endpoint, as far as this needs it."""

    @property
    def name(self) -> str:
        """What it is called."""

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Change weights; raise `ConfigInvalid` where they cannot be so."""

    def tallies(self) -> dict[str, Tally]:
        """Return what each variant got."""


class Control:
    """Answers what `boto3.client("sagemaker", endpoint_url=...)` asks of an endpoint."""

    def __init__(self, endpoint: Steered) -> None:
        """Take the endpoint."""
        self._endpoint = endpoint
        self._since_at_s = self._changed_at_s = time.time()
        self._operations = {
            "SageMaker.DescribeEndpoint": self._describe,
            "SageMaker.UpdateEndpointWeightsAndCapacities": self._update,
        }

    async def answer(self, request: BaseRequest) -> Response:
        """Answer one request."""
        operation = self._operations.get(request.headers[TARGET])
        if operation is None:
            return _error("UnknownOperationException", f"{request.headers[TARGET]} is no operation of this endpoint.")
        try:
            asked = json.loads(await read_within(request.content, _MOST_BYTES) or b"{}")
            if asked["EndpointName"] != self._endpoint.name:
                return _error("ValidationException", f"There is no endpoint {asked['EndpointName']!r} here.")
            # The endpoint waits for the router's thread, in which this runs.
            return _answer(200, await asyncio.to_thread(operation, asked))
        except (ConfigInvalid, ValueError, KeyError, TypeError) as error:
            return _error("ValidationException", f"{error}")

    def _describe(self, _: Mapping[str, Any]) -> dict[str, Any]:
        variants = [
            {
                "VariantName": name,
                "CurrentWeight": tally.weight,
                "DesiredWeight": tally.weight,
                "CurrentInstanceCount": tally.ready,
            }
            for name, tally in self._endpoint.tallies().items()
            if not tally.is_shadow and not tally.has_left
        ]
        name = self._endpoint.name
        return {
            "EndpointName": name,
            "EndpointArn": arn_of(name),
            "EndpointConfigName": name,
            "EndpointStatus": "InService",
            "ProductionVariants": variants,
            "CreationTime": self._since_at_s,
            "LastModifiedTime": self._changed_at_s,
        }

    def _update(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        wanted = asked["DesiredWeightsAndCapacities"]
        if any("DesiredInstanceCount" in one for one in wanted):
            msg = "a local endpoint changes weights alone: `instances` stands in its description"
            raise ConfigInvalid(msg)
        self._endpoint.set_weights({one["VariantName"]: one["DesiredWeight"] for one in wanted})
        self._changed_at_s = time.time()
        return {"EndpointArn": arn_of(self._endpoint.name)}


def _error(code: str, message: str) -> Response:
    return _answer(400, {"__type": code, "message": message})


def _answer(status: int, content: Mapping[str, Any]) -> Response:
    return Response(
        status=status,
        body=json.dumps(content).encode(),
        content_type="application/x-amz-json-1.1",
        headers={"x-amzn-RequestId": str(uuid.uuid4())},
    )
