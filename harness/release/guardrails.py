"""`release.toml`: how traffic goes over to a challenger, what stops it, and where it runs on SageMaker."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from harness.contract.tables import ProfileInvalid, read_table, read_toml
from harness.release.limits import SCHEMA, TIMEOUT_S, check, check_version

if TYPE_CHECKING:
    from pathlib import Path

# So long may it take to start the new fleet, on top of all waits.
_PROVISIONING_S = 1_800

Strategy = Literal["canary", "linear", "all_at_once"]


class ReleaseInvalid(ValueError):  # noqa: N818 - named by what happened
    """A release file breaks a rule; the message names file, place, what was found and the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """How traffic goes over: the size of a step in percent of the traffic or in instances, and seconds to wait.

    After each step, the last one too, it bakes: alarms are watched for `bake_s`. The old fleet is kept for another
    `termination_wait_s`. `timeout_s` is the most that all of it may take; 0: whatever the waits need, and half an hour.
    """

    strategy: Strategy = "canary"
    percent: int = 0
    instances: int = 0
    bake_s: int = 600
    termination_wait_s: int = 300
    timeout_s: int = 0

    def shares(self, fleet: int) -> tuple[float, ...]:
        """Return the new fleet's share of the traffic after each step, as fractions of 1, the last 1.

        `fleet` is how many instances it has.
        """
        step = self.percent / 100 if self.percent else self.instances / fleet
        if self.strategy == "all_at_once":
            return (1.0,)
        if self.strategy == "canary":
            return (step, 1.0)
        return (*(step * number for number in range(1, math.ceil(1 / step - 1e-9))), 1.0)

    def waits_s(self, fleet: int) -> int:
        """Return the seconds of all waits, for a fleet of so many instances."""
        return len(self.shares(fleet)) * self.bake_s + self.termination_wait_s

    def timeout_of_s(self, fleet: int) -> int:
        """Return the most that a deployment to a fleet of so many instances may take."""
        wanted = self.timeout_s or self.waits_s(fleet) + _PROVISIONING_S
        return min(max(wanted, TIMEOUT_S[0]), TIMEOUT_S[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomAlarm:
    """An alarm on a metric that somebody publishes: wrong answers, error against persistence, anomalies.

    CloudWatch sees statuses and times alone: a wrong price in an answer of 200 is seen only by who judges captured
    answers, and publishes it with the dimensions `EndpointName`, `VariantName` and `EndpointConfigName`.
    """

    name: str
    namespace: str
    metric: str
    above: float
    statistic: Literal["Average", "Sum", "Maximum", "Minimum", "SampleCount"] = "Average"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How alarms look: over so many periods of so many seconds, after so long at most without a first figure.

    The shorter a period, the fewer requests fall into it, and the more of them chance alone can spoil.
    `refused_share` is how many of the callers' windows may be refused as theirs to mend (4XX), as a fraction of 1. At
    home a step needs `least` answers of the challenger, however long it takes.
    """

    period_s: int = 300
    periods: int = 1
    warm_up_s: int = 1_800
    refused_share: float = 0.1
    least: int = 100
    custom: tuple[CustomAlarm, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One production variant, or a shadow: an image, its model archive if it has one, and where it runs.

    `weight` is a production variant's share of the traffic over the sum of all weights; a shadow's is the share of the
    production variant's requests that it gets copies of.
    """

    name: str
    image: str
    instance_type: str
    instances: int = 1
    weight: float = 1.0
    model_data: str = ""
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What is kept of requests and answers, of how many percent of them, below which S3 address."""

    s3: str
    percent: int = 100
    mode: Literal["Input", "Output", "InputAndOutput"] = "InputAndOutput"
    kms_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMaker:
    """The endpoint on SageMaker. Its variants run on instances, never serverless: steps are counted in instances."""

    endpoint: str
    region: str
    role: str
    variants: tuple[Variant, ...]
    shadow: Variant | None = None
    capture: Capture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """All of a release file."""

    schema: int = SCHEMA
    deployment: Deployment = field(default_factory=Deployment)
    alarms: Watch = field(default_factory=Watch)
    sagemaker: SageMaker | None = None


def load_release(path: Path) -> Release:
    """Read a release file; raise `ReleaseInvalid` with one sentence that names file, place and way out."""
    table, _ = read_toml(path, "release", ReleaseInvalid)
    try:
        check_version(table.get("schema", SCHEMA))  # first: another version has other keys
        release = read_table(Release, table, place="")
        check(release)
    except ProfileInvalid as error:
        msg = f"release {path}: {error}"
        raise ReleaseInvalid(msg) from error
    return release
