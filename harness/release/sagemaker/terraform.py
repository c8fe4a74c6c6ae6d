"""A plan as Terraform: the same models, configuration, alarms and endpoint, for the provider hashicorp/aws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.release.sagemaker.hcl import Block, Reference, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.release.sagemaker.hcl import Value
    from harness.release.sagemaker.plan import Plan

# Its documentation has an alarm's warm-up.
_PROVIDER = ">= 6.64"


def terraform_of(plan: Plan) -> str:
    """Write a plan as the text of one `.tf` file.

    Where the digest in a name changes, Terraform makes the new thing first and takes the old one away once the endpoint
    has let go of it.
    """
    models = {one["ModelName"]: _label(one["ModelName"]) for one in plan.models}
    blocks = [
        _terraform(),
        Block(("provider", "aws"), {"region": plan.sagemaker.region}),
        *(_model(one, models[one["ModelName"]]) for one in plan.models),
        _config(plan.config, models),
        *(_alarm(one) for one in plan.alarms),
        _endpoint(plan),
    ]
    return written(blocks)


def _label(name: str) -> str:
    """Return what Terraform calls a thing: without the digest, so that a new one takes the place of the last."""
    return name.rpartition("-")[0].replace("-", "_").lower()


def _terraform() -> Block:
    provider = {"source": "hashicorp/aws", "version": _PROVIDER}
    return Block(("terraform",), {}, (Block(("required_providers",), {"aws": provider}),))


def _model(model: Mapping[str, Any], label: str) -> Block:
    container = model["PrimaryContainer"]
    attributes: dict[str, Value] = {"image": container["Image"]}
    if "ModelDataUrl" in container:
        attributes["model_data_url"] = container["ModelDataUrl"]
    if "Environment" in container:
        attributes["environment"] = container["Environment"]
    return Block(
        ("resource", "aws_sagemaker_model", label),
        {"name": model["ModelName"], "execution_role_arn": model["ExecutionRoleArn"]},
        (Block(("primary_container",), attributes), _create_first()),
    )


def _create_first() -> Block:
    return Block(("lifecycle",), {"create_before_destroy": True})


def _config(config: Mapping[str, Any], models: Mapping[str, str]) -> Block:
    blocks = [_variant("production_variants", one, models) for one in config["ProductionVariants"]]
    blocks += [
        _variant("shadow_production_variants", one, models) for one in config.get("ShadowProductionVariants", ())
    ]
    if "DataCaptureConfig" in config:
        blocks.append(_capture(config["DataCaptureConfig"]))
    name = config["EndpointConfigName"]
    return Block(
        ("resource", "aws_sagemaker_endpoint_configuration", _label(name)),
        {"name": name},
        (*blocks, _create_first()),
    )


def _variant(kind: str, variant: Mapping[str, Any], models: Mapping[str, str]) -> Block:
    return Block(
        (kind,),
        {
            "variant_name": variant["VariantName"],
            "model_name": Reference(f"aws_sagemaker_model.{models[variant['ModelName']]}.name"),
            "initial_instance_count": variant["InitialInstanceCount"],
            "instance_type": variant["InstanceType"],
            "initial_variant_weight": variant["InitialVariantWeight"],
            "container_startup_health_check_timeout_in_seconds": variant["ContainerStartupHealthCheckTimeoutInSeconds"],
        },
    )


def _capture(capture: Mapping[str, Any]) -> Block:
    attributes: dict[str, Value] = {
        "enable_capture": capture["EnableCapture"],
        "initial_sampling_percentage": capture["InitialSamplingPercentage"],
        "destination_s3_uri": capture["DestinationS3Uri"],
    }
    if "KmsKeyId" in capture:
        attributes["kms_key_id"] = capture["KmsKeyId"]
    modes = [Block(("capture_options",), {"capture_mode": one["CaptureMode"]}) for one in capture["CaptureOptions"]]
    header = capture["CaptureContentTypeHeader"]
    types = {"csv_content_types": header["CsvContentTypes"], "json_content_types": header["JsonContentTypes"]}
    return Block(("data_capture_config",), attributes, (*modes, Block(("capture_content_type_header",), types)))


def _alarm(alarm: Mapping[str, Any]) -> Block:
    statistic = "extended_statistic" if "ExtendedStatistic" in alarm else "statistic"
    minutes = alarm["WarmUpConfiguration"]["WarmUpPeriodDurationInMinutes"]
    return Block(
        ("resource", "aws_cloudwatch_metric_alarm", _alarm_label(alarm)),
        {
            "alarm_name": alarm["AlarmName"],
            "alarm_description": alarm["AlarmDescription"],
            "namespace": alarm["Namespace"],
            "metric_name": alarm["MetricName"],
            "dimensions": {one["Name"]: one["Value"] for one in alarm["Dimensions"]},
            statistic: alarm.get("ExtendedStatistic", alarm.get("Statistic")),
            "period": alarm["Period"],
            "evaluation_periods": alarm["EvaluationPeriods"],
            "threshold": alarm["Threshold"],
            "comparison_operator": alarm["ComparisonOperator"],
            "treat_missing_data": alarm["TreatMissingData"],
        },
        (Block(("warm_up_configuration",), {"warm_up_period_duration_in_minutes": minutes}),),
    )


def _alarm_label(alarm: Mapping[str, Any]) -> str:
    name: str = alarm["AlarmName"]
    return name.replace("-", "_").lower()


def _endpoint(plan: Plan) -> Block:
    policy = plan.endpoint["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    blue_green = Block(
        ("blue_green_update_policy",),
        {
            "termination_wait_in_seconds": policy["TerminationWaitInSeconds"],
            "maximum_execution_timeout_in_seconds": policy["MaximumExecutionTimeoutInSeconds"],
        },
        (_routing(policy["TrafficRoutingConfiguration"]),),
    )
    names = [Reference(f"aws_cloudwatch_metric_alarm.{_alarm_label(one)}.alarm_name") for one in plan.alarms]
    rollback = Block(
        ("auto_rollback_configuration",), {}, tuple(Block(("alarms",), {"alarm_name": one}) for one in names)
    )
    config = _label(plan.config["EndpointConfigName"])
    name = plan.endpoint["EndpointName"]
    return Block(
        ("resource", "aws_sagemaker_endpoint", name.replace("-", "_").lower()),
        {"name": name, "endpoint_config_name": Reference(f"aws_sagemaker_endpoint_configuration.{config}.name")},
        (Block(("deployment_config",), {}, (blue_green, rollback)),),
    )


def _routing(routing: Mapping[str, Any]) -> Block:
    sizes = {"CanarySize": "canary_size", "LinearStepSize": "linear_step_size"}
    blocks = [
        Block((block,), {"type": routing[name]["Type"], "value": routing[name]["Value"]})
        for name, block in sizes.items()
        if name in routing
    ]
    attributes: dict[str, Value] = {
        "type": routing["Type"],
        "wait_interval_in_seconds": routing["WaitIntervalInSeconds"],
    }
    return Block(("traffic_routing_configuration",), attributes, tuple(blocks))
