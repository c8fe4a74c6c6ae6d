"""A client that comes again when it is told to: 503 with `Retry-After`, and a container's 503 within a ModelError."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Protocol

from harness.contract.judge import UNAVAILABLE
from harness.system.waiting import WallClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.system.waiting import Clock

# A container's own `Retry-After` does not pass through SageMaker: so long is waited for where none is told.
_UNTOLD_S = 1.0


class Runtime(Protocol):
    """A `sagemaker-runtime` client of boto3; have it made with `Config(retries={"total_max_attempts": 1})`.

    By itself boto3 comes again up to four times, after pauses of its own, whatever `Retry-After` says.
    """

    @property
    def exceptions(self) -> Any:  # noqa: ANN401 - boto3 makes these classes as it goes
        """The classes of what it raises."""

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's own
        """Invoke an endpoint."""


class Retrying:
    """Invokes as boto3 does, and bears 503 for a while.

    Every try carries the same `InferenceId`, the caller's or one that is made up: whoever counts calls counts one.
    No other error is tried again: a window that kills a container would kill one after another.
    """

    def __init__(self, runtime: Runtime, *, budget_s: float = 30.0, clock: Clock | None = None) -> None:
        """Bear 503 for so many seconds a call."""
        self._runtime = runtime
        self._budget_s = budget_s
        self._clock = clock or WallClock()
        self._bearable = (runtime.exceptions.ServiceUnavailable, runtime.exceptions.ModelError)

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's own
        """Invoke an endpoint; what boto3 raised last is raised where it is no 503, or the budget is spent.

        `Body` must be bytes: a stream could be sent once only.
        """
        asked = {"InferenceId": uuid.uuid4().hex, **asked}
        until_s = self._clock.monotonic() + self._budget_s
        while True:
            try:
                return self._runtime.invoke_endpoint(**asked)
            except self._bearable as error:
                wait_s = _wait_s(error.response)
                if wait_s is None or self._clock.monotonic() + wait_s > until_s:
                    raise
            self._clock.sleep(wait_s)


def _wait_s(response: Mapping[str, Any]) -> float | None:
    """Return how long to wait before the next try; None where there should be none."""
    metadata = response["ResponseMetadata"]
    if metadata["HTTPStatusCode"] != UNAVAILABLE:
        return _UNTOLD_S if response.get("OriginalStatusCode") == UNAVAILABLE else None
    told = metadata["HTTPHeaders"].get("retry-after", "")
    return float(told) if told.isdecimal() else _UNTOLD_S
