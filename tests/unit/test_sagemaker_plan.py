"""A plan for SageMaker: held against the services' models, applied to a server that plays them, read as Terraform."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hcl2
import pytest
from botocore.loaders import create_loader
from moto.core.responses import ActionResult
from moto.sagemaker.models import sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse
from moto.server import ThreadedMotoServer

from harness.cli import main
from harness.contract.profile import load_profile
from harness.release.guardrails import Capture, CustomAlarm, Deployment, Release, load_release
from harness.release.sagemaker.plan import CannotPlan, plan_of
from harness.release.sagemaker.service_model import validate
from harness.release.sagemaker.terraform import terraform_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.release.sagemaker.plan import Plan

EXAMPLE = Path(__file__).resolve().parents[2] / "harness" / "profiles" / "release.toml"
PROFILE = load_profile()
RELEASE = load_release(EXAMPLE)
REGION, ACCOUNT = "eu-central-1", "123456789012"
DEPLOYED: dict[str, Any] = {}  # what the last update of an endpoint said of its deployment
VARIANTS = {"production_variants": "ProductionVariants", "shadow_production_variants": "ShadowProductionVariants"}
CUSTOM = CustomAlarm(name="wrong", namespace="PriceInference", metric="WrongAnswers", statistic="Sum", above=0)


def update_endpoint(self: SageMakerResponse) -> ActionResult:
    """Play `UpdateEndpoint`, which Moto does not know: the endpoint has the new configuration at once."""
    endpoint = self.sagemaker_backend.endpoints[self._get_param("EndpointName")]
    endpoint.endpoint_config_name = self._get_param("EndpointConfigName")
    DEPLOYED[endpoint.endpoint_name] = self._get_param("DeploymentConfig")
    return ActionResult({"EndpointArn": endpoint.arn})


@pytest.fixture(scope="module", autouse=True)
def _models_read_once() -> Iterator[None]:
    """Let all sessions share what botocore ships: each would read megabytes of JSON anew."""
    shared = create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", lambda _: shared)
        yield


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """SageMaker and CloudWatch, played on the loopback address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    playing = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    playing.start()
    _, port = playing.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    playing.stop()


@pytest.fixture
def account(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - Moto's own
    """Return SageMaker's state in an account with nothing in it; boto3 goes there by itself."""
    names = {"AWS_ENDPOINT_URL": server, "AWS_ACCESS_KEY_ID": "made", "AWS_SECRET_ACCESS_KEY": "up"}
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(SageMakerResponse, "update_endpoint", update_endpoint, raising=False)
    backend = sagemaker_backends[ACCOUNT][REGION]
    backend.reset()
    from moto.cloudwatch.models import cloudwatch_backends  # noqa: PLC0415 - the server has loaded it by now

    cloudwatch_backends[ACCOUNT][REGION].reset()
    return backend


def plan(release: Release = RELEASE) -> Plan:
    return plan_of(release, PROFILE)


def with_sagemaker(**changes: Any) -> Release:  # noqa: ANN401 - fields of a dataclass
    assert RELEASE.sagemaker is not None
    return replace(RELEASE, sagemaker=replace(RELEASE.sagemaker, **changes))


def with_variant(**changes: Any) -> Release:  # noqa: ANN401 - as above
    assert RELEASE.sagemaker is not None
    return with_sagemaker(variants=(replace(RELEASE.sagemaker.variants[0], **changes),))


def with_shadow() -> Release:
    assert RELEASE.sagemaker is not None
    first = replace(RELEASE.sagemaker.variants[0], weight=4)
    shadow = replace(first, name="Candidate", image="price:1.6", weight=0.5, model_data="s3://models/a.tar.gz")
    capture = Capture(s3="s3://bucket/captured", mode="Output", kms_key="key")
    return with_sagemaker(variants=(first,), shadow=shadow, capture=capture)


def with_two_variants() -> Release:
    assert RELEASE.sagemaker is not None
    first = RELEASE.sagemaker.variants[0]
    return with_sagemaker(variants=(replace(first, weight=3), replace(first, name="B", environment={"LEVEL": "1"})))


RELEASES = {
    "the example": RELEASE,
    "a shadow": with_shadow(),
    "two variants": with_two_variants(),
    "linear steps": replace(RELEASE, deployment=Deployment(strategy="linear", percent=50)),
    "one instance at first": replace(RELEASE, deployment=Deployment(strategy="canary", instances=1)),
    "all at once": replace(RELEASE, deployment=Deployment(strategy="all_at_once")),
    "an alarm of its own": replace(RELEASE, alarms=replace(RELEASE.alarms, custom=(CUSTOM,))),
}


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_every_request_keeps_the_services_own_models(release: Release) -> None:
    validate(plan(release))


@pytest.mark.parametrize(
    ("release", "says"),
    [
        (with_variant(instance_type="ml.m9.huge"), "'ml.m9.huge', which is none of those that the service knows"),
        (with_variant(image="price 1.5"), r"it must match \[\\S\]\+"),
        (with_variant(name="A" * 50), "is 77, and 63 is the most"),
        (
            with_sagemaker(capture=Capture(s3="s3://a/b", percent=101)),
            "InitialSamplingPercentage is 101, and 100 is the",
        ),
        (with_sagemaker(capture=Capture(s3="ftp://a")), "DestinationS3Uri is 'ftp://a'"),
        (with_variant(environment={"A" * 1025: "x"}), "is 1025, and 1024 is the most"),
        (with_variant(environment={"A": "x" * 1025}), "is 1025, and 1024 is the most"),
    ],
)
def test_what_a_service_would_refuse_is_refused_before_it_is_sent(release: Release, says: str) -> None:
    with pytest.raises(CannotPlan, match=says):
        validate(plan(release))


def test_more_alarms_than_sagemaker_watches_are_refused() -> None:
    many = tuple(replace(CUSTOM, name=f"wrong-{number}") for number in range(7))
    with pytest.raises(CannotPlan, match="11 alarms, and SageMaker watches 10 at most"):
        plan(replace(RELEASE, alarms=replace(RELEASE.alarms, custom=many)))
    with pytest.raises(CannotPlan, match=r"no table `\[sagemaker\]`"):
        plan(replace(RELEASE, sagemaker=None))


def test_alarms_hear_the_new_fleet_alone_and_take_no_figure_for_a_bad_one() -> None:
    made = plan()
    assert [alarm["MetricName"] for alarm in made.alarms] == [
        "Invocation5XXErrors",
        "Invocation4XXErrors",
        "InvocationModelErrors",
        "ModelLatency",
    ]
    watched = made.endpoint["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    assert watched == [{"AlarmName": alarm["AlarmName"]} for alarm in made.alarms]
    for alarm in made.alarms:
        config = {"Name": "EndpointConfigName", "Value": made.config["EndpointConfigName"]}
        assert config in alarm["Dimensions"]
        assert alarm["TreatMissingData"] == "breaching"
    assert made.alarms[-1]["Threshold"] == PROFILE.http.budget_s * 1_000_000  # microseconds


def test_an_alarm_grants_what_chance_does_to_a_period_and_no_more() -> None:
    errors, *_ = plan().alarms
    requests = PROFILE.load.rate_per_s * RELEASE.alarms.period_s * 0.1
    # 3 of 600 are granted; 9 is what chance makes of it in one look of 16 (2 bakes of 2 periods, 4 alarms).
    assert errors["Threshold"] == pytest.approx(9.5 / requests, abs=1e-6)
    busier = replace(PROFILE, load=replace(PROFILE.load, rate_per_s=2000))
    assert plan_of(RELEASE, busier).alarms[0]["Threshold"] < 0.0065


def test_names_change_with_what_they_name_and_with_nothing_else() -> None:
    assert plan().config == plan().config
    other = plan(with_variant(image="price:1.6"))
    assert other.models[0]["ModelName"] != plan().models[0]["ModelName"]
    assert other.config["EndpointConfigName"] != plan().config["EndpointConfigName"]
    assert other.alarms[0]["AlarmName"] == plan().alarms[0]["AlarmName"]


def test_a_shadow_gets_its_share_of_the_production_variants_requests() -> None:
    config = plan(with_shadow()).config
    assert config["ShadowProductionVariants"][0]["InitialVariantWeight"] == 2
    assert config["ProductionVariants"][0]["InitialVariantWeight"] == 4


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_terraform_says_the_same_as_the_requests(release: Release) -> None:
    made = plan(release)
    read = Terraform(terraform_of(made))
    models, alarms = read.of("aws_sagemaker_model"), read.of("aws_cloudwatch_metric_alarm")
    assert {one["name"] for one in models.values()} == {one["ModelName"] for one in made.models}
    assert {one["alarm_name"]: one["threshold"] for one in alarms.values()} == {
        one["AlarmName"]: one["Threshold"] for one in made.alarms
    }
    (config,) = read.of("aws_sagemaker_endpoint_configuration").values()
    for kind, key in (
        ("production_variants", "ProductionVariants"),
        ("shadow_production_variants", "ShadowProductionVariants"),
    ):
        found = [(one["variant_name"], one["initial_variant_weight"]) for one in config.get(kind, ())]
        assert found == [(one["VariantName"], one["InitialVariantWeight"]) for one in made.config.get(key, ())]
    (endpoint,) = read.of("aws_sagemaker_endpoint").values()
    policy = endpoint["deployment_config"][0]["blue_green_update_policy"][0]
    routing = made.endpoint["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert policy["traffic_routing_configuration"][0]["type"] == routing["Type"]
    assert policy["traffic_routing_configuration"][0]["wait_interval_in_seconds"] == routing["WaitIntervalInSeconds"]


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_whatever_terraform_refers_to_is_there(release: Release) -> None:
    read = Terraform(terraform_of(plan(release)))
    references = read.references()
    assert references
    for kind, name in references:
        assert name in read.of(kind), f"{kind}.{name} is referred to, and not there"


class Terraform:
    """A file of Terraform's as its parser reads it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._resources = hcl2.loads(text)["resource"]

    def of(self, kind: str) -> dict[str, Any]:
        """Return the resources of a kind by name; strings without their quotes."""
        found = [one[f'"{kind}"'] for one in self._resources if f'"{kind}"' in one]
        return {name.strip('"'): _plain(content) for one in found for name, content in one.items() if name[0] == '"'}

    def references(self) -> list[tuple[str, str]]:
        """Return what is referred to without quotes: kind and name."""
        words = [line.partition(" = ")[2] for line in self._text.splitlines()]
        return [(word.split(".")[0], word.split(".")[1]) for word in words if word.startswith("aws_")]


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever HCL holds
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.strip('"') if isinstance(value, str) else value


def test_strings_that_look_like_expressions_stay_strings() -> None:
    text = terraform_of(plan(with_variant(environment={"A.B": 'say "${x}" %{ if }'})))
    assert r'"A.B" = "say \"$${x}\" %%{ if }"' in text
    hcl2.loads(text)


def test_apply_is_a_dry_run_until_it_is_told(account: Any, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ANN401 - Moto's own
    assert main(["sagemaker", "apply", "--release", str(EXAMPLE)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown[:-1]] == ["create"] * 7
    assert shown[-1] == "a dry run: --yes does it"
    assert not account.endpoints
    assert not account.endpoint_configs


def test_applied_once_there_is_nothing_left_to_do(account: Any, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ANN401 - as above
    assert main(["sagemaker", "apply", "--release", str(EXAMPLE), "--yes"]) == 0
    assert account.endpoints["btc-next-second"].endpoint_config_name == plan().config["EndpointConfigName"]
    capsys.readouterr()
    assert main(["sagemaker", "apply", "--release", str(EXAMPLE)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown] == ["nothing"] * 8
    assert shown[-1] == "nothing to do"


def test_a_new_image_updates_the_endpoint_with_guardrails(
    account: Any,  # noqa: ANN401 - as above
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sagemaker", "apply", "--release", str(EXAMPLE), "--yes"]) == 0
    newer = tmp_path / "release.toml"
    newer.write_text(EXAMPLE.read_text(encoding="utf-8").replace("price:1.5", "price:1.5.1"), encoding="utf-8")
    capsys.readouterr()
    assert main(["sagemaker", "apply", "--release", str(newer), "--no-dry-run"]) == 0
    kinds = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["create", "create", "update", "update", "update", "update", "update"]
    wanted = plan(load_release(newer)).endpoint
    assert account.endpoints["btc-next-second"].endpoint_config_name == wanted["EndpointConfigName"]
    assert DEPLOYED["btc-next-second"] == wanted["DeploymentConfig"]


def test_an_endpoint_that_is_busy_or_has_other_variants_is_left_alone(
    account: Any,  # noqa: ANN401 - as above
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sagemaker", "apply", "--release", str(EXAMPLE), "--yes"]) == 0
    other = tmp_path / "release.toml"
    other.write_text(EXAMPLE.read_text(encoding="utf-8").replace('"AllTraffic"', '"Main"'), encoding="utf-8")
    assert main(["sagemaker", "apply", "--release", str(other), "--yes"]) == 2
    assert "SageMaker shifts traffic between variants of one name" in capsys.readouterr().err
    account.endpoints["btc-next-second"].endpoint_status = "Updating"
    assert main(["sagemaker", "apply", "--release", str(other), "--yes"]) == 2
    assert "endpoint btc-next-second is Updating" in capsys.readouterr().err


def test_without_a_way_to_aws_it_ends_with_2_and_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert main(["sagemaker", "apply", "--release", str(EXAMPLE)]) == 2
    assert "harness: AWS: Unable to locate credentials" in capsys.readouterr().err


def test_plan_writes_requests_terraform_and_policies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sagemaker", "plan", "--release", str(EXAMPLE), "--out", str(tmp_path / "out")]) == 0
    requests = json.loads((tmp_path / "out" / "requests.json").read_text(encoding="utf-8"))["requests"]
    assert [one["operation"] for one in requests][-2:] == ["CreateEndpoint", "UpdateEndpoint"]
    hcl2.loads((tmp_path / "out" / "main.tf").read_text(encoding="utf-8"))
    assert "price:1.5 is named by a tag" in capsys.readouterr().err


def test_the_policy_allows_what_apply_does_on_what_the_plan_names_and_nothing_else(tmp_path: Path) -> None:
    main(["sagemaker", "plan", "--release", str(EXAMPLE), "--out", str(tmp_path)])
    statements = json.loads((tmp_path / "policy.json").read_text(encoding="utf-8"))["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    sent = {f"{one.service}:{one.operation}" for one in plan().requests}
    looked = {"cloudwatch:DescribeAlarms"} | {
        f"sagemaker:Describe{what}" for what in ("Model", "Endpoint", "EndpointConfig")
    }
    assert allowed == sent | looked | {"iam:PassRole"}
    for statement in statements:
        assert all("btc-next-second" in one or one.endswith(":role/price-serving") for one in statement["Resource"])
    (role,) = [statement for statement in statements if statement["Sid"] == "Role"]
    assert role["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    of_role = json.loads((tmp_path / "role-policy.json").read_text(encoding="utf-8"))["Statement"]
    assert [one["Action"] for one in of_role] == [["cloudwatch:DescribeAlarms"], ["s3:PutObject"]]


def test_without_boto3_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys  # noqa: PLC0415 - for this test

    monkeypatch.delitem(sys.modules, "harness.release.sagemaker.service_model")
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    assert main(["sagemaker", "plan", "--release", str(EXAMPLE)]) == 4
    assert "which this command needs: pip install 'inference-harness[sagemaker]'" in capsys.readouterr().err
