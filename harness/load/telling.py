"""Locust hears of every request, so that its page, CSV and HTML work; only for Locust's process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.load.figures import is_served

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.load.record import Attempt

_METHODS = {"invocation": "POST", "broken": "POST", "ping": "GET"}


def telling(environment: Any) -> Callable[[Attempt], None]:  # noqa: ANN401 - Locust ships no types
    """Return what fires Locust's own event; its response time runs from the due moment, in milliseconds."""

    def tell(attempt: Attempt) -> None:
        environment.events.request.fire(
            request_type=_METHODS[attempt.kind],
            name=attempt.kind,
            response_time=attempt.latency_s * 1000,
            response_length=len(attempt.body),
            exception=None if is_served(attempt) else RuntimeError(attempt.detail or f"status {attempt.status}"),
            context={},
        )

    return tell
