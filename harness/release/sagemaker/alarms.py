"""CloudWatch alarms on the new fleet alone: what rolls a release back.

CloudWatch publishes metrics with the dimension `EndpointConfigName` once a fleet of that configuration gets traffic, so
an alarm on the new one never hears the old fleet ("Monitor model latency on the new fleet",
docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html). No figure is an alarm, but for the
warm-up: a new fleet takes minutes to its first one, and an alarm that is on beforehand would end every release
(docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-warm-up.html).

CloudWatch compares a share with a threshold and knows no chance. So the threshold lies above what is promised by as
much as chance does to the requests of one period at the first step: a challenger that just keeps its promise is rolled
back by chance in no more of the releases than the profile's `release.alpha`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from harness.audit.student_t import regularised_beta

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract.profile import Profile
    from harness.release.guardrails import CustomAlarm, Release, SageMaker, Variant, Watch

# AutoRollbackConfig takes no more.
MOST_ALARMS = 10
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metric:
    """What an alarm looks at, and above what it goes on."""

    name: str
    says: str
    metric: str
    above: float
    statistic: str
    namespace: str = "AWS/SageMaker"


def alarms_of(sagemaker: SageMaker, release: Release, profile: Profile, *, config: str) -> list[dict[str, Any]]:
    """Return the parameters of `PutMetricAlarm`, a variant at a time; `config` is the new endpoint configuration.

    Their names stay from release to release, and so does their number.
    """
    return [
        _alarm(sagemaker.endpoint, variant.name, config, metric, release.alarms)
        for variant in sagemaker.variants
        for metric in _metrics(_Chance.of(variant, sagemaker, release, profile), release.alarms, profile)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chance:
    """How many requests one look of an alarm is at, and how often it may go on without a reason."""

    requests: int
    alpha: float

    @classmethod
    def of(cls, variant: Variant, sagemaker: SageMaker, release: Release, profile: Profile) -> _Chance:
        """Return it for a variant at the first step, where its fleet gets the profile's rate times its shares."""
        shares = release.deployment.shares(variant.instances)
        weight = variant.weight / sum(one.weight for one in sagemaker.variants)
        requests = profile.load.rate_per_s * release.alarms.period_s * shares[0] * weight
        looks = len(shares) * ceil(release.deployment.bake_s / release.alarms.period_s)
        tests = looks * _SHARES * len(sagemaker.variants)
        return cls(requests=max(round(requests), 1), alpha=profile.release.alpha / tests)

    def most(self, share: float) -> int:
        """Return the most of the requests that chance lets be bad where this share of all is."""
        return next(bad for bad in range(self.requests + 1) if self._beyond(bad, share) <= self.alpha)

    def threshold(self, share: float) -> float:
        """Return the share that lies between the most and one more."""
        return min(round((self.most(share) + 0.5) / self.requests, 6), 1.0)

    def _beyond(self, bad: int, share: float) -> float:
        """Return the chance of more than so many (binomial)."""
        if bad >= self.requests:
            return 0.0
        return regularised_beta(share, bad + 1, self.requests - bad)


# Alarms on a share of the requests: each may go on by chance.
_SHARES = 4


def _metrics(chance: _Chance, watch: Watch, profile: Profile) -> Iterator[_Metric]:
    errors, late = profile.release.error_share, profile.load.over_budget_share
    for name, metric, share, what in (
        ("errors", "Invocation5XXErrors", errors, "of the answers are 5XX"),
        ("refusals", "Invocation4XXErrors", watch.refused_share, "of the windows are refused"),
        ("failures", "InvocationModelErrors", watch.refused_share + errors, "get no answer of 200, or none at all"),
    ):
        above = chance.threshold(share)
        says = f"over {above:.2%} {what} ({share:.2%} are granted, the rest is chance)"
        yield _Metric(name=name, says=says, metric=metric, above=above, statistic="Average")
    within, budget_s = 1 - chance.threshold(late), profile.http.budget_s
    yield _Metric(
        name="latency",
        says=f"fewer than {within:.2%} of the answers come within {budget_s:g} s",
        metric="ModelLatency",
        above=budget_s * _MICROSECONDS,
        statistic=f"p{within * 100:.4g}",
    )
    yield from (_custom(one) for one in watch.custom)


def _custom(alarm: CustomAlarm) -> _Metric:
    return _Metric(
        name=alarm.name,
        says=f"{alarm.metric} lies over {alarm.above:g}",
        metric=alarm.metric,
        above=alarm.above,
        statistic=alarm.statistic,
        namespace=alarm.namespace,
    )


def _alarm(endpoint: str, variant: str, config: str, metric: _Metric, watch: Watch) -> dict[str, Any]:
    is_percentile = metric.statistic.startswith("p")
    dimensions = {"EndpointName": endpoint, "VariantName": variant, "EndpointConfigName": config}
    return {
        "AlarmName": f"{endpoint}-{variant}-{metric.name}",
        "AlarmDescription": f"{variant} of {endpoint}: {metric.says}, or nobody knows",
        "Namespace": metric.namespace,
        "MetricName": metric.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "ExtendedStatistic" if is_percentile else "Statistic": metric.statistic,
        "Period": watch.period_s,
        "EvaluationPeriods": watch.periods,
        "Threshold": metric.above,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "breaching",
        "WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": watch.warm_up_s // 60},
    }
