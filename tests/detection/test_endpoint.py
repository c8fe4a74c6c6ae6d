"""The local endpoint with containers behind it, invoked by boto3 as SageMaker's own is."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import docker
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.contract.judge import judge_prediction
from harness.contract.records import encode
from harness.release.endpoint import Endpoint, EndpointConfig, Retrying, VariantConfig
from harness.system.guard import LABEL
from harness.system.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.system.guard import Run

pytestmark = [pytest.mark.detection, pytest.mark.timeout(300)]

_KEYS = {"region_name": "local", "aws_access_key_id": "any", "aws_secret_access_key": "any"}
# Once in 1,000 times chance exceeds this chi-square value of one degree of freedom.
_ONCE_IN_1000 = 10.83


# Which process has started a container: its id comes first.
PROCESS = f"{LABEL}.process"
STAND_STILL = """
import os, signal
for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
    if pid != os.getpid():
        os.kill(pid, signal.SIGSTOP)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a caller got, as the contract's judge reads it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    variant: str
    elapsed_s: float = 0.0


class Caller:
    """Sends fresh windows by boto3, without retries of its own."""

    def __init__(self, url: str, profile: Profile, fresh_window: Callable[[], Window]) -> None:
        """Connect to an endpoint called `price`."""
        once = Config(retries={"total_max_attempts": 1}, max_pool_connections=8)
        self.runtime = boto3.client("sagemaker-runtime", endpoint_url=url, config=once, **_KEYS)
        self._rule, self._fresh_window = profile.window, fresh_window

    def asked(self, window: Window | None = None) -> dict[str, Any]:
        """Return boto3's arguments of a call with a window."""
        body = encode(self._rule, window or self._fresh_window(), "json")
        return {"EndpointName": "price", "ContentType": "application/json", "Body": body}

    def call(self, window: Window | None = None, **asked: str) -> Answer:
        """Call, and read the answer."""
        got = self.runtime.invoke_endpoint(**self.asked(window), **asked)
        return Answer(
            status=got["ResponseMetadata"]["HTTPStatusCode"],
            headers={"content-type": got["ContentType"]},
            body=got["Body"].read(),
            variant=got["InvokedProductionVariant"],
        )


@pytest.fixture(scope="module")
def endpoint(sut_image: str, sut_run: Run) -> Iterator[Endpoint]:
    variants = (
        VariantConfig(name="champion", image=sut_image, weight=9),
        VariantConfig(name="challenger", image=sut_image),
    )
    with Endpoint.up(EndpointConfig(name="price", variants=variants, seed=1), run=sut_run) as one:
        yield one


@pytest.fixture
def caller(endpoint: Endpoint, profile: Profile, fresh_window: Callable[[], Window]) -> Iterator[Caller]:
    one = Caller(endpoint.url, profile, fresh_window)
    yield one
    one.runtime.close()


def test_each_variant_predicts_as_the_contract_has_it(
    caller: Caller, profile: Profile, fresh_window: Callable[[], Window]
) -> None:
    for variant in ("champion", "challenger"):
        window = fresh_window()
        answer = caller.call(window, TargetVariant=variant)
        assert not judge_prediction(window, answer, profile)
        assert answer.variant == variant


def test_a_refusal_of_the_container_is_a_model_error(caller: Caller) -> None:
    with pytest.raises(ClientError) as caught:
        caller.runtime.invoke_endpoint(**{**caller.asked(), "Body": b'{"window": []}'})
    found = caught.value.response
    assert (found["Error"]["Code"], found["OriginalStatusCode"]) == ("ModelError", 422)
    assert '"dimension"' in found["OriginalMessage"]


def test_most_calls_go_where_the_weight_is(caller: Caller) -> None:
    assert_shares(Counter(caller.call().variant for _ in range(300)), champion=0.9)


def test_a_container_killed_under_a_call_is_a_model_error_the_next_call_is_served_and_another_takes_its_place(
    endpoint: Endpoint, caller: Caller
) -> None:
    (name,) = endpoint.tallies()["challenger"].containers
    with closing(docker.from_env()) as engine, ThreadPoolExecutor(1) as callers:
        container = engine.containers.get(name)
        # All but its first process stand still: paused as a whole, it might answer between its thaw and its end.
        assert container.exec_run(["python", "-c", STAND_STILL], user="root").exit_code == 0
        lost: Future[Answer] = callers.submit(caller.call, TargetVariant="challenger")
        wait_for(lambda: endpoint.tallies()["challenger"].in_flight or None, subject="the call", budget_s=5)
        container.kill()
        with pytest.raises(ClientError) as caught:
            lost.result()
    assert (caught.value.response["Error"]["Code"], caught.value.response["OriginalStatusCode"]) == ("ModelError", 0)
    assert caller.call(TargetVariant="champion").variant == "champion"
    began_s = time.monotonic()
    with pytest.raises(ClientError, match="No container of variant 'challenger' is ready"):
        caller.call(TargetVariant="challenger")
    got = Retrying(caller.runtime).invoke_endpoint(**caller.asked(), TargetVariant="challenger")
    assert (got["InvokedProductionVariant"], b"prediction" in got["Body"].read()) == ("challenger", True)
    assert time.monotonic() - began_s > 1
    assert name not in endpoint.tallies()["challenger"].containers


def test_up_on_the_command_line_says_how_to_call_it_and_leaves_nothing(
    sut_image: str, profile: Profile, fresh_window: Callable[[], Window], tmp_path: Path
) -> None:
    config = tmp_path / "endpoint.toml"
    config.write_text(f'name = "price"\n[[variants]]\nname = "only"\nimage = "{sut_image}"\n')
    command = [sys.executable, "-m", "harness.cli", "endpoint", "up", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        greeting = "".join(iter(up.stdout.readline, "\n")) + "".join(iter(up.stdout.readline, "\n"))
        caller = Caller(re.findall(r'endpoint_url="(.+?)"', greeting)[0], profile, fresh_window)
        assert [caller.call().variant for _ in range(3)] == ["only"] * 3
        caller.runtime.close()
        assert len(containers_of(up.pid)) == 1
        up.send_signal(signal.SIGTERM)
        last = up.stdout.read()
    assert up.returncode == 0
    assert re.search(r"^only +100% +3 +0 +0 .+ 1$", last, flags=re.MULTILINE), last
    assert not containers_of(up.pid)


def containers_of(pid: int) -> list[str]:
    """Name the containers that a process has started, as their labels say."""
    with closing(docker.from_env()) as engine:
        found = engine.containers.list(all=True, filters={"label": PROCESS}, ignore_removed=True)
        return [str(one.name) for one in found if re.match(rf"{pid}\b", one.labels[PROCESS])]


def assert_shares(got: Counter[str], *, champion: float) -> None:
    expected = {"champion": champion * got.total(), "challenger": (1 - champion) * got.total()}
    square = sum((got[name] - wanted) ** 2 / wanted for name, wanted in expected.items())
    assert square < _ONCE_IN_1000, got


@pytest.mark.proof
def test_weights_hold_over_10000_calls(endpoint: Endpoint, caller: Caller) -> None:
    for champion in (9, 1):
        endpoint.set_weights({"champion": champion, "challenger": 1})
        with ThreadPoolExecutor(8) as callers:
            got = Counter(callers.map(lambda _: caller.call().variant, range(5000)))
        assert_shares(got, champion=champion / (champion + 1))


@pytest.mark.proof
def test_no_call_is_lost_while_variants_come_and_go(endpoint: Endpoint, caller: Caller, sut_image: str) -> None:
    is_over = False

    def keep_calling() -> Counter[str]:
        got: Counter[str] = Counter()
        while not is_over:
            got[caller.call().variant] += 1
        return got

    with ThreadPoolExecutor(4) as callers:
        calls = [callers.submit(keep_calling) for _ in range(4)]
        for round_ in range(3):
            green = VariantConfig(name=f"green-{round_}", image=sut_image, weight=0)
            endpoint.add_variant(green)
            endpoint.set_weights({green.name: 5})
            time.sleep(1)
            endpoint.remove_variant(green.name)
        is_over = True
    got = sum((call.result() for call in calls), Counter())
    assert all(got[f"green-{round_}"] for round_ in range(3))
    tallies = endpoint.tallies()
    assert not any(tallies[f"green-{round_}"].errors for round_ in range(3))
