"""The local endpoint as boto3 sees it, stand-ins in place of containers."""

from __future__ import annotations

import http.client
import itertools
import math
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, Unpack

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.release.endpoint import (
    CannotServe,
    ConfigInvalid,
    Endpoint,
    EndpointConfig,
    Health,
    Invocation,
    Retrying,
    ShadowConfig,
    Tally,
    VariantConfig,
)
from harness.release.endpoint.board import board_of
from harness.release.endpoint.loop import Loop
from harness.system.waiting import VirtualClock, wait_for
from tests.unit.stand_ins import StandIns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.release.endpoint.retrying import Runtime

    Connect = Callable[[Endpoint], Runtime]

A, B = VariantConfig(name="a", image="a:1", weight=3), VariantConfig(name="b", image="b:1")
SHADOW = ShadowConfig(name="s", image="s:1")
QUICK = Health(ping_every_s=0.02, failed_pings=2)


class Settings(TypedDict, total=False):
    """What a test wants otherwise than by default."""

    shadow: ShadowConfig
    health: Health
    deadline_s: float
    payload_bytes: int
    kept: int
    port: int
    seed: int


class Up(Protocol):
    """Brings an endpoint up for one test."""

    def __call__(self, *variants: VariantConfig, **settings: Unpack[Settings]) -> Endpoint:
        """Take its variants."""


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    with closing(Loop("stand-ins")) as one:
        yield one


@pytest.fixture
def stand_ins(loop: Loop) -> Iterator[StandIns]:
    made = StandIns(loop)
    yield made
    for one in itertools.chain.from_iterable(made.made.values()):
        one.die()


@pytest.fixture
def up(stand_ins: StandIns) -> Iterator[Up]:
    endpoints: list[Endpoint] = []

    def bring_up(*variants: VariantConfig, **settings: Unpack[Settings]) -> Endpoint:
        settings.setdefault("health", QUICK)
        config = EndpointConfig(variants=variants, **settings)
        endpoints.append(Endpoint(config, stand_ins, say=lambda _: None))
        return endpoints[-1]

    yield bring_up
    for one in endpoints:
        one.down()


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    any_keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    return boto3.Session(region_name="local", **any_keys)


@pytest.fixture
def runtime(session: boto3.Session) -> Iterator[Connect]:
    once = Config(retries={"total_max_attempts": 1}, max_pool_connections=20)
    with ExitStack() as clients:
        yield lambda endpoint: clients.enter_context(
            closing(session.client("sagemaker-runtime", endpoint_url=endpoint.url, config=once))
        )


def invoke(client: Runtime, body: bytes = b"?", **asked: object) -> dict[str, Any]:
    answer: dict[str, Any] = client.invoke_endpoint(EndpointName="endpoint", Body=body, **asked)
    return {**answer, "Body": answer["Body"].read()}


def refusal(client: Runtime, **asked: object) -> dict[str, Any]:
    """Invoke where it must fail, and return what boto3 made of it."""
    with pytest.raises(ClientError) as caught:
        client.invoke_endpoint(**{"EndpointName": "endpoint", "Body": b"?", **asked})
    response: dict[str, Any] = caught.value.response
    return response


def test_a_container_gets_the_body_and_no_header_but_those_of_the_service(
    up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    endpoint, body = up(B), bytes(range(256))
    invoke(runtime(endpoint), body, ContentType="text/csv", Accept="text/plain", InferenceId="me 1")
    assert stand_ins.of("b").bodies == [body]
    heard = {name.lower(): value for name, value in stand_ins.of("b").headers[0].items()}
    assert heard.pop("host")
    assert heard == {"content-type": "text/csv", "accept": "text/plain", "content-length": "256"}


def test_the_caller_gets_the_answer_and_who_gave_it(up: Up, stand_ins: StandIns, runtime: Connect) -> None:
    endpoint = up(B)
    stand_ins.of("b").answer = bytes(range(256))
    answer = invoke(runtime(endpoint))
    assert answer["Body"] == bytes(range(256))
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/plain", "b")
    assert answer["ResponseMetadata"]["RequestId"]


def test_custom_attributes_go_in_as_they_are_and_come_back_only_where_the_container_sets_them(
    up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    client = runtime(up(B))
    assert "CustomAttributes" not in invoke(client, CustomAttributes="trace=1; a,b")
    assert stand_ins.of("b").headers[0]["X-Amzn-SageMaker-Custom-Attributes"] == "trace=1; a,b"
    stand_ins.of("b").answer_headers = {"X-Amzn-SageMaker-Custom-Attributes": "trace=2"}
    assert invoke(client)["CustomAttributes"] == "trace=2"
    assert refusal(client, CustomAttributes="x" * 1025)["Error"]["Code"] == "ValidationError"


def test_whoever_names_a_variant_gets_it_whatever_it_weighs(up: Up, runtime: Connect) -> None:
    client = runtime(up(A, VariantConfig(name="b", image="b:1", weight=0)))
    got = Counter(invoke(client, TargetVariant="b")["InvokedProductionVariant"] for _ in range(10))
    got += Counter(invoke(client)["InvokedProductionVariant"] for _ in range(10))
    assert got == {"b": 10, "a": 10}


@pytest.mark.parametrize("asked", [{"EndpointName": "other"}, {"TargetVariant": "other"}, {"TargetVariant": "s"}])
def test_what_is_not_there_is_a_validation_error(
    asked: dict[str, str], up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    found = refusal(runtime(up(A, shadow=SHADOW)), **asked)
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("ValidationError", 400)
    assert next(iter(asked.values())) in found["Error"]["Message"]
    assert not stand_ins.of("a").bodies


@pytest.mark.parametrize(("status", "kind"), [(422, "4xx: client"), (500, "5xx: server"), (503, "5xx: server")])
def test_a_containers_error_is_a_model_error_with_the_original_inside(
    status: int, kind: str, up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    endpoint = up(B)
    stand_ins.of("b").status, stand_ins.of("b").answer = status, b'{"error": "no"}'
    found = refusal(runtime(endpoint))
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("ModelError", 424)
    assert (found["OriginalStatusCode"], found["OriginalMessage"]) == (status, '{"error": "no"}')
    assert found["Error"]["Message"].startswith(f"Received {kind[5:]} error ({status}) from primary")
    assert found["LogStreamArn"].endswith(":log-group:/aws/sagemaker/Endpoints/endpoint:log-stream:b/b-1")
    assert endpoint.tallies()["b"].errors == {kind[:3]: 1}


def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not(
    up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    client = runtime(up(B, payload_bytes=1000))
    assert invoke(client, b"x" * 1000)["Body"] == b"42"
    found = refusal(client, Body=b"x" * 1001)
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("413", 413)
    assert "1000 bytes" in found["Error"]["Message"]
    assert len(stand_ins.of("b").bodies) == 1


def test_a_body_in_chunks_keeps_the_limit_too(up: Up, stand_ins: StandIns) -> None:
    endpoint = up(B, payload_bytes=1000)
    for size, status in ((1000, 200), (1001, 413)):
        with closing(http.client.HTTPConnection(endpoint.url.removeprefix("http://"), timeout=5)) as line:
            line.request("POST", "/endpoints/endpoint/invocations", iter([b"x" * 500, b"x" * (size - 500)]))
            assert line.getresponse().status == status
    assert stand_ins.of("b").bodies == [b"x" * 1000]


def test_a_caller_who_hangs_up_harms_nobody(
    up: Up, stand_ins: StandIns, runtime: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = up(B)
    host, _, port = endpoint.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(b"POST /endpoints/endpoint/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    assert invoke(runtime(endpoint), b"whole")["Body"] == b"42"
    assert stand_ins.of("b").bodies == [b"whole"]
    assert not caplog.records


@pytest.mark.parametrize(("method", "path"), [("GET", "/endpoints/endpoint/invocations"), ("POST", "/elsewhere")])
def test_what_is_no_operation_is_refused(method: str, path: str, up: Up, stand_ins: StandIns) -> None:
    with closing(http.client.HTTPConnection(up(B).url.removeprefix("http://"), timeout=5)) as line:
        line.request(method, path)
        answer = line.getresponse()
        assert (answer.status, answer.getheader("x-amzn-ErrorType")) == (404, "UnknownOperationException")
    assert not stand_ins.of("b").bodies


def test_where_the_port_is_taken_no_container_is_left(up: Up, stand_ins: StandIns) -> None:
    taken = int(up(A).url.rpartition(":")[2])
    with pytest.raises(OSError, match=str(taken)):
        up(B, port=taken)
    assert stand_ins.of("b").has_left


def test_an_answer_over_the_limit_is_a_model_error(up: Up, stand_ins: StandIns, runtime: Connect) -> None:
    endpoint = up(B, payload_bytes=1000)
    stand_ins.of("b").answer = b"x" * 1001
    assert refusal(runtime(endpoint))["Error"]["Code"] == "ModelError"
    assert endpoint.tallies()["b"].errors == {"too large": 1}


def test_a_container_that_is_silent_past_the_deadline_is_a_model_error(
    up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    endpoint = up(B, deadline_s=0.1)
    stand_ins.of("b").delay_s, began_s = 5.0, time.monotonic()
    found = refusal(runtime(endpoint))
    assert time.monotonic() - began_s < 2
    assert (found["Error"]["Code"], found["OriginalStatusCode"]) == ("ModelError", 0)
    tally = endpoint.tallies()["b"]
    assert (tally.errors, tally.over_budget) == ({"timed out": 1}, 1)


def test_a_container_lost_under_a_call_is_a_model_error_and_the_next_call_is_served(
    up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    endpoint = up(VariantConfig(name="a", image="a:1", instances=2))
    client = runtime(endpoint)
    for one in stand_ins.made["a"]:
        one.cuts = True
    found = refusal(client)
    assert (found["Error"]["Code"], found["OriginalStatusCode"]) == ("ModelError", 0)
    (lost,) = [one for one in stand_ins.made["a"] if one.bodies]
    (other,) = [one for one in stand_ins.made["a"] if not one.bodies]
    lost.die()
    other.cuts = False
    assert invoke(client)["Body"] == b"42"
    assert endpoint.tallies()["a"].errors == {"lost": 1}
    wait_for(lambda: endpoint.tallies()["a"].replaced or None, subject="another container", budget_s=5)
    assert lost.has_left


def test_a_call_that_reached_no_container_goes_to_another_one(up: Up, stand_ins: StandIns, runtime: Connect) -> None:
    endpoint = up(VariantConfig(name="a", image="a:1", instances=2), health=Health(ping_every_s=60))
    stand_ins.made["a"][0].die()
    client = runtime(endpoint)
    assert [invoke(client)["Body"] for _ in range(5)] == [b"42"] * 5
    assert not endpoint.tallies()["a"].errors


def test_a_container_that_fails_its_pings_is_replaced_and_gets_no_calls_until_another_is_ready(
    up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    endpoint = up(B)
    ill = stand_ins.of("b")
    stand_ins.gate.clear()
    ill.is_well = False
    wait_for(lambda: endpoint.tallies()["b"].ready == 0 or None, subject="none in rotation", budget_s=5)
    found = refusal(runtime(endpoint))
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("ServiceUnavailable", 503)
    assert found["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    assert endpoint.tallies()["b"].errors == {"unavailable": 1}
    stand_ins.gate.set()
    wait_for(lambda: endpoint.tallies()["b"].ready or None, subject="another container", budget_s=5)
    assert invoke(runtime(endpoint))["Body"] == b"42"
    assert not ill.bodies
    assert ill.has_left
    assert stand_ins.of("b").bodies == [b"?"]


def test_a_container_that_loses_a_call_is_pinged_at_once(up: Up, stand_ins: StandIns, runtime: Connect) -> None:
    endpoint = up(B, health=Health(ping_every_s=60, failed_pings=1))
    stand_ins.of("b").cuts, stand_ins.of("b").is_well = True, False
    assert refusal(runtime(endpoint))["OriginalStatusCode"] == 0
    wait_for(lambda: endpoint.tallies()["b"].replaced or None, subject="another container", budget_s=5)


def test_a_container_that_exited_is_replaced_after_its_first_failed_ping(up: Up, stand_ins: StandIns) -> None:
    endpoint = up(B, health=Health(ping_every_s=0.02, failed_pings=1000))
    stand_ins.of("b").die()
    wait_for(lambda: endpoint.tallies()["b"].replaced or None, subject="another container", budget_s=5)


def test_one_failed_ping_is_no_reason_to_replace(up: Up, stand_ins: StandIns) -> None:
    endpoint = up(B, health=Health(ping_every_s=0.02, failed_pings=1000))
    stand_ins.of("b").is_well = False
    time.sleep(0.2)
    assert (endpoint.tallies()["b"].ready, len(stand_ins.made["b"])) == (1, 1)


def test_a_retrying_client_is_served_where_a_plain_one_is_refused(
    up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    endpoint = up(B)
    client, clock = runtime(endpoint), ServedAfter(2, stand_ins, endpoint)
    stand_ins.gate.clear()
    stand_ins.of("b").die()
    wait_for(lambda: endpoint.tallies()["b"].ready == 0 or None, subject="none in rotation", budget_s=5)
    assert refusal(client)["Error"]["Code"] == "ServiceUnavailable"
    answer = Retrying(client, clock=clock).invoke_endpoint(EndpointName="endpoint", Body=b"again")
    assert (answer["Body"].read(), clock.slept) == (b"42", [1.0, 1.0])
    tries = [one for one in endpoint.invocations() if one.body == b"again"]
    assert [one.outcome for one in tries] == ["unavailable", "unavailable", "ok"]
    assert len({one.inference_id for one in tries}) == 1


class ServedAfter(VirtualClock):
    """A clock on which a container becomes ready during so many naps."""

    def __init__(self, naps: int, stand_ins: StandIns, endpoint: Endpoint) -> None:
        super().__init__(0.0)
        self.slept: list[float] = []
        self._naps, self._stand_ins, self._endpoint = naps, stand_ins, endpoint

    def sleep(self, duration_s: float) -> None:
        """Let time pass, and a container become ready when it is time."""
        super().sleep(duration_s)
        self.slept.append(duration_s)
        if len(self.slept) == self._naps:
            self._stand_ins.gate.set()
            wait_for(lambda: self._endpoint.tallies()["b"].ready or None, subject="a container", budget_s=5)


def test_a_retrying_client_bears_a_containers_own_503_within_its_budget_and_no_other_error(
    up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    client, clock = runtime(up(B)), VirtualClock(0.0)
    for status, tries in ((503, 4), (500, 1), (422, 1)):
        stand_ins.of("b").status, before = status, len(stand_ins.of("b").bodies)
        with pytest.raises(ClientError, match=str(status)):
            Retrying(client, budget_s=3, clock=clock).invoke_endpoint(EndpointName="endpoint", Body=b"?")
        assert len(stand_ins.of("b").bodies) - before == tries


def test_a_shadow_gets_copies_and_nobody_its_answers(up: Up, stand_ins: StandIns, runtime: Connect) -> None:
    endpoint = up(A, shadow=SHADOW)
    stand_ins.of("s").status, stand_ins.of("s").answer, client = 500, b"shadow", runtime(endpoint)
    got = [invoke(client, str(at).encode(), InferenceId=f"id-{at}") for at in range(20)]
    assert {one["Body"] for one in got} == {b"42"}
    assert {one["InvokedProductionVariant"] for one in got} == {"a"}
    copies = wait_for(lambda: copies_of(endpoint, 20), subject="the copies", budget_s=5)
    assert {one.inference_id: one.body for one in copies} == {f"id-{at}": str(at).encode() for at in range(20)}
    assert {(one.variant, one.status, one.answer, one.outcome) for one in copies} == {("s", 500, b"shadow", "5xx")}
    assert endpoint.tallies()["s"].errors == {"5xx": 20}
    assert not endpoint.tallies()["a"].errors


def copies_of(endpoint: Endpoint, count: int) -> list[Invocation] | None:
    found = [one for one in endpoint.invocations() if one.is_shadow]
    return found if len(found) == count else None


def test_a_slow_shadow_delays_nobody_and_what_it_is_too_busy_for_is_dropped(
    up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    endpoint = up(A, shadow=SHADOW, deadline_s=1.0)
    stand_ins.of("s").delay_s, client, began_s = 30.0, runtime(endpoint), time.monotonic()
    for _ in range(70):
        invoke(client)
    assert time.monotonic() - began_s < 1
    tally = endpoint.tallies()["s"]
    assert (tally.in_flight, tally.dropped) == (64, 6)


def test_a_shadow_gets_its_share(up: Up, runtime: Connect) -> None:
    endpoint = up(A, shadow=ShadowConfig(name="s", image="s:1", share=0.25), seed=1)
    client = runtime(endpoint)
    for _ in range(100):
        invoke(client)
    wait_for(lambda: endpoint.tallies()["s"].in_flight == 0 or None, subject="the copies", budget_s=5)
    assert 15 <= endpoint.tallies()["s"].requests <= 37


def test_a_shadow_comes_and_goes_while_the_endpoint_is_up(up: Up, stand_ins: StandIns, runtime: Connect) -> None:
    endpoint = up(A)
    client = runtime(endpoint)
    endpoint.set_shadow(SHADOW)
    invoke(client)
    endpoint.set_shadow(None)
    invoke(client)
    assert endpoint.tallies()["s"].requests == 1
    assert stand_ins.of("s").has_left


def test_weights_change_while_it_is_up(up: Up, runtime: Connect) -> None:
    endpoint = up(A, B)
    client = runtime(endpoint)
    endpoint.set_weights({"a": 0})
    assert endpoint.weights() == {"a": 0, "b": 1}
    assert {invoke(client)["InvokedProductionVariant"] for _ in range(20)} == {"b"}
    for wrong, says in (
        ({"b": 0}, "no variant has a `weight`"),
        ({"c": 1}, "'c'"),
        ({"b": -1}, "0 or more"),
        ({"b": math.inf}, "inf"),
    ):
        with pytest.raises(ConfigInvalid, match=says):
            endpoint.set_weights(wrong)
    assert endpoint.weights() == {"a": 0, "b": 1}


def test_boto3_describes_it_and_changes_its_weights(up: Up, session: boto3.Session, runtime: Connect) -> None:
    endpoint = up(A, B)
    with closing(session.client("sagemaker", endpoint_url=endpoint.url)) as sagemaker:
        wanted = [{"VariantName": "a", "DesiredWeight": 0.0}, {"VariantName": "b", "DesiredWeight": 2.0}]
        sagemaker.update_endpoint_weights_and_capacities(EndpointName="endpoint", DesiredWeightsAndCapacities=wanted)
        found = sagemaker.describe_endpoint(EndpointName="endpoint")
        assert (found["EndpointStatus"], weights_of(found)) == ("InService", {"a": (0, 1), "b": (2, 1)})
        for name, variant in (("endpoint", "c"), ("other", "a")):
            wanted = [{"VariantName": variant, "DesiredWeight": 1.0}]
            with pytest.raises(ClientError, match="ValidationException"):
                sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wanted)
        with pytest.raises(ClientError, match="UnknownOperationException"):
            sagemaker.delete_endpoint(EndpointName="endpoint")
    assert {invoke(runtime(endpoint))["InvokedProductionVariant"] for _ in range(10)} == {"b"}


def weights_of(found: Mapping[str, Any]) -> dict[str, tuple[float, int]]:
    """Return each described variant's weight and number of containers."""
    return {
        one["VariantName"]: (one["CurrentWeight"], one["CurrentInstanceCount"]) for one in found["ProductionVariants"]
    }


def test_a_variant_joins_when_it_is_ready_and_leaves_when_its_calls_are_answered(
    up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    endpoint = up(A)
    client = runtime(endpoint)
    stand_ins.of("a").delay_s = 0.3
    with ThreadPoolExecutor(10) as callers:
        calls = [callers.submit(invoke, client) for _ in range(10)]
        wait_for(lambda: endpoint.tallies()["a"].in_flight == 10 or None, subject="calls in flight", budget_s=5)
        endpoint.add_variant(B)
        endpoint.remove_variant("a")
        assert stand_ins.of("a").has_left
        assert invoke(client)["InvokedProductionVariant"] == "b"
    assert {call.result()["InvokedProductionVariant"] for call in calls} == {"a"}
    assert (endpoint.tallies()["a"].requests, endpoint.tallies()["a"].errors) == (10, {})
    with pytest.raises(ConfigInvalid, match=r"1 to 10 `\[\[variants\]\]`, got 0"):
        endpoint.remove_variant("b")


def test_a_variant_that_does_not_become_ready_changes_nothing(up: Up, stand_ins: StandIns, runtime: Connect) -> None:
    endpoint = up(A)
    stand_ins.most["b"] = 0
    with pytest.raises(CannotServe, match="variant b: b:1 is ill"):
        endpoint.add_variant(B)
    assert endpoint.weights() == {"a": 3}
    assert invoke(runtime(endpoint))["InvokedProductionVariant"] == "a"


def test_where_one_container_cannot_start_none_of_its_variant_is_left(up: Up, stand_ins: StandIns) -> None:
    endpoint = up(A)
    stand_ins.most["b"] = 1
    with pytest.raises(CannotServe, match="variant b"):
        endpoint.add_variant(replace(B, instances=2))
    assert stand_ins.of("b").has_left


def test_a_variants_containers_get_the_same_and_one_in_doubt_nothing(
    up: Up, stand_ins: StandIns, runtime: Connect
) -> None:
    client = runtime(up(replace(A, instances=3), health=Health(ping_every_s=0.02, failed_pings=1000)))
    for _ in range(9):
        invoke(client)
    first, *others = stand_ins.made["a"]
    assert [len(one.bodies) for one in (first, *others)] == [3, 3, 3]
    first.is_well = False
    time.sleep(0.1)
    for _ in range(10):
        invoke(client)
    assert [len(one.bodies) for one in (first, *others)] == [3, 8, 8]


def test_where_one_variant_cannot_start_none_is_left(up: Up, stand_ins: StandIns) -> None:
    stand_ins.most["b"] = 0
    with pytest.raises(CannotServe, match="variant b"):
        up(A, B)
    assert stand_ins.of("a").has_left


def test_what_is_in_flight_is_answered_before_it_goes_down(up: Up, stand_ins: StandIns, runtime: Connect) -> None:
    endpoint = up(B)
    client = runtime(endpoint)
    stand_ins.of("b").delay_s = 0.2
    with ThreadPoolExecutor(1) as callers:
        call = callers.submit(invoke, client)
        wait_for(lambda: endpoint.tallies()["b"].in_flight or None, subject="a call in flight", budget_s=5)
        endpoint.down()
    assert (endpoint.tallies()["b"].requests, [one.answer for one in endpoint.invocations()]) == (1, [b"42"])
    assert call.result()["Body"] == b"42"
    assert stand_ins.of("b").has_left


def test_going_down_waits_for_callers_and_not_for_the_shadow(up: Up, stand_ins: StandIns, runtime: Connect) -> None:
    endpoint = up(A, shadow=SHADOW)
    stand_ins.of("s").delay_s, began_s = 30.0, time.monotonic()
    invoke(runtime(endpoint))
    endpoint.down()
    assert time.monotonic() - began_s < 5


def test_answers_over_the_budget_are_counted(up: Up, stand_ins: StandIns, runtime: Connect) -> None:
    endpoint = up(B)
    client = runtime(endpoint)
    invoke(client)
    stand_ins.of("b").delay_s = 1.05
    invoke(client)
    tally = endpoint.tallies()["b"]
    assert (tally.requests, tally.over_budget, tally.errors) == (2, 1, {})
    assert tally.latencies_s[0] < 1 < tally.latencies_s[1]


def test_invocations_are_read_from_where_one_left_off(up: Up, runtime: Connect) -> None:
    endpoint = up(B, kept=3)
    client = runtime(endpoint)
    for at in range(4):
        invoke(client, str(at).encode())
    assert [(one.number, one.body) for one in endpoint.invocations()] == [(2, b"1"), (3, b"2"), (4, b"3")]
    assert [one.number for one in endpoint.invocations(after=3)] == [4]


def test_the_board_says_what_each_variant_got() -> None:
    tallies = {
        "a": Tally(
            variant="a", is_shadow=False, weight=3, requests=7, latencies_s=(0.001, 0.002), containers=("c", "d")
        ),
        "b": Tally(variant="b", is_shadow=False, weight=1, requests=2, errors={"5xx": 2}, over_budget=1, replaced=1),
        "s": Tally(variant="s", is_shadow=True, weight=0.5),
    }
    assert board_of(tallies) == [
        "variant     share  calls  errors  over budget  p50     p99     ready",
        "a           75%    7      0       0            1.0 ms  2.0 ms  2",
        "b           25%    2      2 5xx   1            -       -       0, 1 replaced",
        "s (shadow)  50%    0      0       0            -       -       0",
    ]
