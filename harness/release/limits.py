"""The limits of a release, all of them SageMaker's and CloudWatch's own: what is tried at home can be done there.

From `TrafficRoutingConfig` and `BlueGreenUpdatePolicy` in SageMaker's API reference, `PutMetricAlarm` in CloudWatch's,
and the page on what deployment guardrails exclude
(docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.contract.tables import ProfileInvalid, of_version

if TYPE_CHECKING:
    from harness.release.guardrails import Deployment, Release, SageMaker, Variant, Watch

SCHEMA = 1
MOST_WAIT_S = 3_600
MOST_CANARY_PERCENT = 50
LINEAR_PERCENT = (10, 50)
TIMEOUT_S = (600, 28_800)
_LARGER = 'SageMaker takes no other; all of it in one step is the strategy "all_at_once"'
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")


def check(release: Release) -> None:
    """Raise `ProfileInvalid` with one sentence where a release goes beyond a limit."""
    _check_size(release.deployment)
    _check_waits(release.deployment)
    _check_watch(release.alarms, release.deployment)
    if release.sagemaker is not None:
        _check_sagemaker(release.sagemaker)
        _check_fleets(release.deployment, release.sagemaker)


def check_version(found: object) -> None:
    """Raise `ProfileInvalid` where a release file was written for another version."""
    if wrong := of_version(found, SCHEMA):
        _refuse(wrong)


def _check_size(deployment: Deployment) -> None:
    strategy, percent, instances = deployment.strategy, deployment.percent, deployment.instances
    if strategy == "all_at_once":
        if percent or instances:
            _refuse('`deployment.strategy` "all_at_once" has one step: leave `percent` and `instances` out')
        return
    if bool(percent) == bool(instances):
        _refuse(f'`deployment.strategy` "{strategy}" needs the size of a step: `percent` or `instances`, one of both')
    if percent and strategy == "canary" and percent > MOST_CANARY_PERCENT:
        _refuse(f"`deployment.percent` of a canary must be 1 to {MOST_CANARY_PERCENT}, got {percent}: {_LARGER}")
    if percent and strategy == "linear" and not LINEAR_PERCENT[0] <= percent <= LINEAR_PERCENT[1]:
        low, high = LINEAR_PERCENT
        _refuse(f"`deployment.percent` of a linear step must be {low} to {high}, got {percent}: {_LARGER}")


def _check_waits(deployment: Deployment) -> None:
    for name in ("bake_s", "termination_wait_s"):
        if (found := getattr(deployment, name)) > MOST_WAIT_S:
            _refuse(f"`deployment.{name}` must be 0 to {MOST_WAIT_S}, got {found}: SageMaker waits no longer")
    if not deployment.bake_s:
        _refuse("`deployment.bake_s` must be 1 or more: without a bake no alarm can be seen")
    if deployment.timeout_s and not TIMEOUT_S[0] <= deployment.timeout_s <= TIMEOUT_S[1]:
        low, high = TIMEOUT_S
        _refuse(f"`deployment.timeout_s` must be {low} to {high}, got {deployment.timeout_s}")


def _check_watch(watch: Watch, deployment: Deployment) -> None:
    if watch.period_s not in {10, 20, 30} and (watch.period_s % 60 or not watch.period_s):
        _refuse(f"`alarms.period_s` must be 10, 20, 30 or a multiple of 60, got {watch.period_s}: CloudWatch's periods")
    for name in ("periods", "least"):
        if not getattr(watch, name):
            _refuse(f"`alarms.{name}` must be 1 or more")
    if (looks_s := watch.period_s * watch.periods) > deployment.bake_s:
        _refuse(
            f"`alarms` look at {looks_s} s, and `deployment.bake_s` is {deployment.bake_s}: no alarm would see a bake"
        )
    if not watch.warm_up_s or watch.warm_up_s % 60:
        _refuse(f"`alarms.warm_up_s` must be whole minutes, 60 or more, got {watch.warm_up_s}")
    if watch.refused_share > 1:
        _refuse(f"`alarms.refused_share` must be a share from 0 to 1, got {watch.refused_share:g}")


def _check_sagemaker(sagemaker: SageMaker) -> None:
    if not sagemaker.variants:
        _refuse("`sagemaker.variants` is empty: name one variant or more")
    if not _ROLE.fullmatch(sagemaker.role):
        _refuse(
            f"`sagemaker.role` is no role's ARN: {sagemaker.role!r}; write it as arn:aws:iam::123456789012:role/NAME"
        )
    if not sum(one.weight for one in sagemaker.variants):
        _refuse("`sagemaker.variants` weigh 0 in all: give one a weight")
    _check_names(sagemaker)
    if sagemaker.shadow is not None:
        _check_shadow(sagemaker.shadow, sagemaker)


def _check_names(sagemaker: SageMaker) -> None:
    shadows = () if sagemaker.shadow is None else (sagemaker.shadow,)
    names = [one.name for one in (*sagemaker.variants, *shadows)]
    for name in (sagemaker.endpoint, *names):
        if not _NAME.fullmatch(name):
            _refuse(f"`sagemaker` holds the name {name!r}: letters, digits and single hyphens, 63 at most")
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        _refuse(f"`sagemaker.variants` names {doubled[0]!r} twice: each needs a name of its own")


def _check_shadow(shadow: Variant, sagemaker: SageMaker) -> None:
    if (found := len(sagemaker.variants)) != 1:
        _refuse(f"`sagemaker.shadow` goes with one production variant, got {found}: SageMaker copies no other traffic")
    if not 0 < shadow.weight <= 1:
        _refuse(f"`sagemaker.shadow.weight` must be a share above 0, 1 at most, got {shadow.weight:g}")


def _check_fleets(deployment: Deployment, sagemaker: SageMaker) -> None:
    for variant in sagemaker.variants:
        _check_fleet(deployment, variant)
    waits_s = max(deployment.waits_s(variant.instances) for variant in sagemaker.variants)
    if (limit_s := deployment.timeout_s or TIMEOUT_S[1]) <= waits_s:
        _refuse(
            f"`deployment` waits for {waits_s} s in all, and must end within {limit_s}: shorter waits, or larger steps"
        )


def _check_fleet(deployment: Deployment, variant: Variant) -> None:
    if not variant.instances:
        _refuse(f"variant {variant.name!r} has no instance: `instances` must be 1 or more")
    if variant.instance_type.startswith("ml.inf1."):
        _refuse(f"variant {variant.name!r} runs on {variant.instance_type}: SageMaker has no guardrails for Inf1")
    if deployment.strategy == "all_at_once":
        return
    if variant.instances == 1:
        _refuse(f'variant {variant.name!r} has 1 instance: no step is half of it or less; 2, or "all_at_once"')
    if deployment.instances * 2 > variant.instances:
        half = variant.instances // 2
        _refuse(
            f"`deployment.instances` must be 1 to {half}, half of variant {variant.name!r}, got {deployment.instances}"
        )
    if deployment.strategy == "linear" and deployment.instances and deployment.instances * 10 < variant.instances:
        _refuse(
            f"`deployment.instances` must be a tenth of variant {variant.name!r} or more, got {deployment.instances}"
        )


def _refuse(msg: str) -> None:
    raise ProfileInvalid(msg)
