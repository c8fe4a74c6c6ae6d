"""An account as a plan finds it: what is there, what would change, and the change itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.release.sagemaker.plan import Plan, Service

Result = TypeVar("Result")
# It speaks of the minutes after an alarm is made alone: no later state of an alarm tells whether it was there.
_PASSING = frozenset({"WarmUpConfiguration"})
_NOT_THERE = "ValidationException"
_AT_REST = "InService"


class CannotApply(Exception):  # noqa: N818 - named by what happened
    """The account, or the way to it, does not let the plan be applied; the message is one sentence."""


class Client(Protocol):
    """What boto3 makes of a service."""

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        """Return an operation by its name in Python's spelling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one request of a plan would do, and which of its values are others than those there."""

    kind: Literal["nothing", "create", "update"]
    service: Service
    operation: str
    name: str
    parameters: Mapping[str, Any]
    differs: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = f": {', '.join(self.differs)}" if self.differs else ""
        return f"{self.kind:8} {self.name}{told}"


@dataclass(frozen=True, slots=True)
class Account:
    """An account in one region, seen with the user's own credentials."""

    sagemaker: Client
    cloudwatch: Client

    @classmethod
    def of(cls, region: str) -> Account:
        """Return the account whose credentials boto3 finds; `AWS_ENDPOINT_URL` names another than AWS's servers."""
        session = boto3.Session(region_name=region)
        return cls(session.client("sagemaker"), session.client("cloudwatch"))

    def changes(self, plan: Plan) -> list[Change]:
        """Return what the plan would do here, in order; raise `CannotApply` where nobody can say, or it cannot be."""
        return _told(lambda: list(self._changes(plan)))

    def apply(self, changes: list[Change], *, say: Callable[[str], None]) -> None:
        """Do it, one after the other, and say each as it is done; raise `CannotApply` at the first that fails."""
        for change in changes:
            if change.kind != "nothing":
                _told(lambda one=change: self._do(one))  # type: ignore[misc]  # a lambda's default has its type
            say(str(change))

    def _do(self, change: Change) -> dict[str, Any]:
        client = self.sagemaker if change.service == "sagemaker" else self.cloudwatch
        operation: Callable[..., dict[str, Any]] = getattr(client, _snake(change.operation))
        return operation(**change.parameters)

    def _changes(self, plan: Plan) -> Iterator[Change]:
        for model in plan.models:
            there = self._described("describe_model", ModelName=model["ModelName"])
            yield _made("CreateModel", model["ModelName"], model, there=there)
        config = plan.config["EndpointConfigName"]
        there = self._described("describe_endpoint_config", EndpointConfigName=config)
        yield _made("CreateEndpointConfig", config, plan.config, there=there)
        names = [alarm["AlarmName"] for alarm in plan.alarms]
        alarms = self.cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
        known = {one["AlarmName"]: one for one in alarms}
        yield from (_alarm(alarm, known.get(alarm["AlarmName"])) for alarm in plan.alarms)
        yield self._endpoint(plan)

    def _endpoint(self, plan: Plan) -> Change:
        name, config = plan.endpoint["EndpointName"], plan.endpoint["EndpointConfigName"]
        there = self._described("describe_endpoint", EndpointName=name)
        if there is None:
            return _made("CreateEndpoint", name, plan.endpoint, there=None)
        if there["EndpointConfigName"] == config:
            return _made("UpdateEndpoint", name, plan.endpoint, there=there)
        _refuse_endpoint(there, plan)
        differs = f"EndpointConfigName {there['EndpointConfigName']} -> {config}"
        return Change(
            kind="update",
            service="sagemaker",
            operation="UpdateEndpoint",
            name=name,
            parameters=plan.endpoint,
            differs=(differs,),
        )

    def _described(self, operation: str, **name: str) -> dict[str, Any] | None:
        try:
            described: dict[str, Any] = getattr(self.sagemaker, operation)(**name)
        except ClientError as error:
            if error.response["Error"]["Code"] == _NOT_THERE:
                return None
            raise
        return described


def _made(operation: str, name: str, parameters: Mapping[str, Any], *, there: Mapping[str, Any] | None) -> Change:
    """Return the change to a thing that never changes: it is there, or it is made."""
    kind: Literal["nothing", "create"] = "create" if there is None else "nothing"
    return Change(kind=kind, service="sagemaker", operation=operation, name=name, parameters=parameters)


def _alarm(alarm: Mapping[str, Any], there: Mapping[str, Any] | None) -> Change:
    keys = [key for key in alarm if key not in _PASSING]
    differs = [] if there is None else [key for key in keys if there.get(key) != alarm[key]]
    return Change(
        kind="create" if there is None else "update" if differs else "nothing",
        service="cloudwatch",
        operation="PutMetricAlarm",
        name=alarm["AlarmName"],
        parameters=alarm,
        differs=tuple(f"{key} {_short((there or {}).get(key))} -> {_short(alarm[key])}" for key in differs),
    )


def _refuse_endpoint(there: Mapping[str, Any], plan: Plan) -> None:
    name = plan.endpoint["EndpointName"]
    if there["EndpointStatus"] != _AT_REST:
        msg = f"endpoint {name} is {there['EndpointStatus']}, and SageMaker updates one that is {_AT_REST} alone: wait"
        raise CannotApply(msg)
    found = {variant["VariantName"] for variant in there.get("ProductionVariants", ())}
    wanted = {variant["VariantName"] for variant in plan.config["ProductionVariants"]}
    if found != wanted:
        msg = (
            f"endpoint {name} has the variants {', '.join(sorted(found))}, and the plan {', '.join(sorted(wanted))}: "
            "SageMaker shifts traffic between variants of one name"
        )
        raise CannotApply(msg)


def _short(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one.get("Value")) for one in value)
    return str(value)


def _snake(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")


def _told(ask: Callable[[], Result]) -> Result:
    try:
        return ask()
    except (BotoCoreError, ClientError) as error:
        msg = f"AWS: {error}"
        raise CannotApply(msg) from error
