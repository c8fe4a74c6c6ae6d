"""A plan: every request that a release takes, in the order in which they must come."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.release.sagemaker.alarms import MOST_ALARMS, alarms_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract.profile import Profile
    from harness.release.guardrails import Capture, Deployment, Release, SageMaker, Variant

Service = Literal["sagemaker", "cloudwatch"]
Parameters = dict[str, Any]
_DIGITS = 10
# SageMaker allows no less for a container to become ready.
_LEAST_READY_S = 60


class CannotPlan(ValueError):  # noqa: N818 - named by what happened
    """A release file and a profile make no release on SageMaker; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as boto3 takes it: `client(service).OPERATION(**parameters)`."""

    service: Service
    operation: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A release as requests.

    Models and configurations carry a digest of what they hold in their names, since SageMaker never changes either:
    what has the same name is the same thing. A tag that moves is not seen: name images by digest.
    """

    sagemaker: SageMaker
    models: tuple[Parameters, ...]
    config: Parameters
    alarms: tuple[Parameters, ...]
    endpoint: Parameters

    @property
    def requests(self) -> Iterator[Request]:
        """Everything that a new endpoint takes, and what an endpoint that is there takes in place of the last one."""
        for model in self.models:
            yield Request(service="sagemaker", operation="CreateModel", parameters=model)
        yield Request(service="sagemaker", operation="CreateEndpointConfig", parameters=self.config)
        for alarm in self.alarms:
            yield Request(service="cloudwatch", operation="PutMetricAlarm", parameters=alarm)
        for operation in ("CreateEndpoint", "UpdateEndpoint"):
            yield Request(service="sagemaker", operation=operation, parameters=self.endpoint)

    @property
    def tagged_images(self) -> tuple[str, ...]:
        """The images that are named by a tag, which may move."""
        images = [model["PrimaryContainer"]["Image"] for model in self.models]
        return tuple(image for image in images if "@sha256:" not in image)

    def to_json(self) -> str:
        """Write as JSON."""
        requests = [
            {"service": one.service, "operation": one.operation, "parameters": one.parameters} for one in self.requests
        ]
        return json.dumps({"schema": 1, "requests": requests}, indent=2)


def plan_of(release: Release, profile: Profile) -> Plan:
    """Return the plan of a release; raise `CannotPlan` where there is none."""
    sagemaker = release.sagemaker
    if sagemaker is None:
        msg = "the release file has no table `[sagemaker]`: it says where the endpoint runs"
        raise CannotPlan(msg)
    models = {variant.name: _model(variant, sagemaker, profile) for variant in _all_variants(sagemaker)}
    config = _config(sagemaker, profile, {name: model["ModelName"] for name, model in models.items()})
    alarms = alarms_of(sagemaker, release, profile, config=config["EndpointConfigName"])
    if len(alarms) > MOST_ALARMS:
        msg = f"{len(alarms)} alarms, and SageMaker watches {MOST_ALARMS} at most: fewer variants, or fewer of your own"
        raise CannotPlan(msg)
    return Plan(
        sagemaker=sagemaker,
        models=tuple(models.values()),
        config=config,
        alarms=tuple(alarms),
        endpoint={
            "EndpointName": sagemaker.endpoint,
            "EndpointConfigName": config["EndpointConfigName"],
            "DeploymentConfig": _deployment(release.deployment, sagemaker, [one["AlarmName"] for one in alarms]),
        },
    )


def _all_variants(sagemaker: SageMaker) -> tuple[Variant, ...]:
    return (*sagemaker.variants, *([sagemaker.shadow] if sagemaker.shadow else []))


def _model(variant: Variant, sagemaker: SageMaker, profile: Profile) -> Parameters:
    container: Parameters = {"Image": variant.image}
    if variant.model_data:
        container["ModelDataUrl"] = variant.model_data
    if environment := {**profile.container.environment, **variant.environment}:
        container["Environment"] = environment
    model = {"PrimaryContainer": container, "ExecutionRoleArn": sagemaker.role}
    return {"ModelName": f"{sagemaker.endpoint}-{variant.name}-{_digest(model)}", **model}


def _config(sagemaker: SageMaker, profile: Profile, models: Mapping[str, str]) -> Parameters:
    config: Parameters = {
        "ProductionVariants": [
            _variant(one, profile, model=models[one.name], weight=one.weight) for one in sagemaker.variants
        ]
    }
    if sagemaker.shadow is not None:
        # What a shadow gets is its weight over that of the production variant.
        weight = sagemaker.shadow.weight * sagemaker.variants[0].weight
        shadow = _variant(sagemaker.shadow, profile, model=models[sagemaker.shadow.name], weight=weight)
        config["ShadowProductionVariants"] = [shadow]
    if sagemaker.capture is not None:
        config["DataCaptureConfig"] = _capture(sagemaker.capture)
    return {"EndpointConfigName": f"{sagemaker.endpoint}-{_digest(config)}", **config}


def _variant(variant: Variant, profile: Profile, *, model: str, weight: float) -> Parameters:
    return {
        "VariantName": variant.name,
        "ModelName": model,
        "InitialInstanceCount": variant.instances,
        "InstanceType": variant.instance_type,
        "InitialVariantWeight": weight,
        "ContainerStartupHealthCheckTimeoutInSeconds": max(math.ceil(profile.container.ready_s), _LEAST_READY_S),
    }


def _capture(capture: Capture) -> Parameters:
    modes = ("Input", "Output") if capture.mode == "InputAndOutput" else (capture.mode,)
    captured: Parameters = {
        "EnableCapture": True,
        "InitialSamplingPercentage": capture.percent,
        "DestinationS3Uri": capture.s3,
        "CaptureOptions": [{"CaptureMode": mode} for mode in modes],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }
    return {**captured, "KmsKeyId": capture.kms_key} if capture.kms_key else captured


def _deployment(deployment: Deployment, sagemaker: SageMaker, alarms: list[str]) -> Parameters:
    routing: Parameters = {"Type": deployment.strategy.upper(), "WaitIntervalInSeconds": deployment.bake_s}
    if deployment.strategy != "all_at_once":
        routing["CanarySize" if deployment.strategy == "canary" else "LinearStepSize"] = _size(deployment)
    fleet = max(variant.instances for variant in sagemaker.variants)
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": deployment.termination_wait_s,
            "MaximumExecutionTimeoutInSeconds": deployment.timeout_of_s(fleet),
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
    }


def _size(deployment: Deployment) -> Parameters:
    if deployment.percent:
        return {"Type": "CAPACITY_PERCENT", "Value": deployment.percent}
    return {"Type": "INSTANCE_COUNT", "Value": deployment.instances}


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_DIGITS]
