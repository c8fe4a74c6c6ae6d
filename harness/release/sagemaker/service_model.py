"""Requests held against the services' own models, as botocore ships them, before anything is sent."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.session import get_session
from botocore.validate import ParamValidator

from harness.release.sagemaker.plan import CannotPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import ServiceModel, Shape

    from harness.release.sagemaker.plan import Plan, Request, Service


def validate(plan: Plan) -> None:
    """Raise `CannotPlan` with the first thing in a plan that a service would refuse."""
    for request in plan.requests:
        for problem in problems_of(request):
            msg = f"{request.operation}: {problem}"
            raise CannotPlan(msg)


def problems_of(request: Request) -> Iterator[str]:
    """Say what the service would refuse: botocore checks kinds, names and least sizes, this the rest of its model."""
    shape = _model_of(request.service).operation_model(request.operation).input_shape
    report = ParamValidator().validate(dict(request.parameters), shape).generate_report()
    yield from report.splitlines()
    if not report:
        yield from _beyond(request.parameters, shape, request.operation)


@cache
def _model_of(service: Service) -> ServiceModel:
    return get_session().get_service_model(service)


def _beyond(value: Any, shape: Shape, place: str) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
    """Walk a request whose kinds are right: sizes that are too large, patterns, words that are none of those known."""
    if isinstance(value, str):
        yield from _wrong_text(value, shape.metadata, place)
    elif not isinstance(value, dict | list):
        yield from _too_large(value, shape.metadata, place)
    else:
        yield from _too_large(len(value), shape.metadata, place)
        for name, part, kind in _parts(value, shape):
            yield from _beyond(part, kind, f"{place}{name}")


def _parts(value: Any, shape: Shape) -> Iterator[tuple[str, Any, Shape]]:  # noqa: ANN401 - as above
    if isinstance(value, list):
        yield from ((f"[{index}]", part, shape.member) for index, part in enumerate(value))
    elif shape.type_name == "map":
        yield from ((f".{key}", text, kind) for key, part in value.items() for text, kind in _entry(key, part, shape))
    else:
        yield from ((f".{name}", part, shape.members[name]) for name, part in value.items())


def _entry(key: str, part: Any, shape: Shape) -> tuple[tuple[Any, Shape], ...]:  # noqa: ANN401 - as above
    return (key, shape.key), (part, shape.value)


def _wrong_text(text: str, rules: Mapping[str, Any], place: str) -> Iterator[str]:
    yield from _too_large(len(text), rules, place)
    if "enum" in rules and text not in rules["enum"]:
        yield f"{place} is {text!r}, which is none of those that the service knows"
    if "pattern" in rules and not re.fullmatch(rules["pattern"], text):
        yield f"{place} is {text!r}, which the service does not take: it must match {rules['pattern']}"


def _too_large(size: float, rules: Mapping[str, Any], place: str) -> Iterator[str]:
    if "max" in rules and size > rules["max"]:
        yield f"{place} is {size}, and {rules['max']} is the most"
