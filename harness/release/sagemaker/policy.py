"""IAM: the least that whoever applies a plan must be allowed, and what the endpoint's role needs for it.

Which actions know which resources: "Actions, resources, and condition keys" for SageMaker, CloudWatch and IAM in AWS's
service authorization reference. That the role must be allowed `cloudwatch:DescribeAlarms` says the page on automatic
rollback (docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.release.sagemaker.plan import Plan

Policy = dict[str, Any]


def policy_to_apply(plan: Plan) -> Policy:
    """Return the policy of whoever applies the plan: what `apply` does, on the resources that the plan names."""
    arns = _Arns(plan)
    return _policy(
        _allow("Models", ["CreateModel", "DescribeModel"], arns.models),
        _allow("Configurations", ["CreateEndpointConfig", "DescribeEndpointConfig"], arns.configs),
        _allow("Endpoint", ["CreateEndpoint", "DescribeEndpoint", "UpdateEndpoint"], [*arns.endpoints, *arns.configs]),
        _allow("Alarms", ["DescribeAlarms", "PutMetricAlarm"], arns.alarms, service="cloudwatch"),
        {
            **_allow("Role", ["PassRole"], [plan.sagemaker.role], service="iam"),
            "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        },
    )


def policy_of_role(plan: Plan) -> Policy:
    """Return what the plan adds to the endpoint's role: look at the alarms, fetch model data, keep what is captured."""
    arns = _Arns(plan)
    statements = [_allow("Alarms", ["DescribeAlarms"], arns.alarms, service="cloudwatch")]
    archives = [one["PrimaryContainer"].get("ModelDataUrl", "") for one in plan.models]
    if objects := [arns.s3(url) for url in archives if url.startswith("s3://")]:
        statements.append(_allow("ModelData", ["GetObject"], objects, service="s3"))
    if plan.sagemaker.capture is not None:
        captured = arns.s3(plan.sagemaker.capture.s3.rstrip("/") + "/*")
        statements.append(_allow("Capture", ["PutObject"], [captured], service="s3"))
    return _policy(*statements)


class _Arns:
    """The names of a plan's things as IAM writes them; the role's says which account and partition it is."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        _, self._partition, _, _, self._account, _ = plan.sagemaker.role.split(":", 5)

    @property
    def models(self) -> list[str]:
        # The digest is another one in each release.
        return self._sagemaker(*(f"model/{one['ModelName'].rpartition('-')[0]}-*" for one in self._plan.models))

    @property
    def configs(self) -> list[str]:
        return self._sagemaker(f"endpoint-config/{self._plan.sagemaker.endpoint}-*")

    @property
    def endpoints(self) -> list[str]:
        return self._sagemaker(f"endpoint/{self._plan.sagemaker.endpoint}")

    def _sagemaker(self, *resources: str) -> list[str]:
        """Write resources as they are spelt, and in lower case: SageMaker has written its ARNs in either way."""
        place = f"arn:{self._partition}:sagemaker:{self._plan.sagemaker.region}:{self._account}"
        spelt = dict.fromkeys(name for one in resources for name in (one, one.lower()))
        return [f"{place}:{name}" for name in spelt]

    @property
    def alarms(self) -> list[str]:
        place = f"arn:{self._partition}:cloudwatch:{self._plan.sagemaker.region}:{self._account}"
        return [f"{place}:alarm:{alarm['AlarmName']}" for alarm in self._plan.alarms]

    def s3(self, url: str) -> str:
        return f"arn:{self._partition}:s3:::{url.removeprefix('s3://')}"


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str], *, service: str = "sagemaker") -> Policy:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in actions],
        "Resource": list(resources),
    }


def _policy(*statements: Policy) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}
