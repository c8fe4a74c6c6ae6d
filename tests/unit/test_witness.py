"""A witness finds the one answer among many that breaks what holds for all."""

from __future__ import annotations

import json

import pytest

from harness.contract.judge import Violated
from harness.contract.witness import Witness
from harness.system.client import Answer, Exchange, Request

ERROR = json.dumps({"error": {"code": "not_found", "dimension": None, "message": "there is no such path"}}).encode()


def exchange(  # noqa: PLR0917 - a double
    number: int,
    status: int = 200,
    got: str | None = "",
    sent: str | None = None,
    method: str = "GET",
    body: bytes = ERROR,
) -> Exchange:
    headers = {"content-type": "application/json"} | (
        {} if got is None else {"x-request-id": got or f"made-up-{number}"}
    )
    request = Request(method=method, path="/nowhere", headers={} if sent is None else {"X-Request-Id": sent})
    return Exchange(
        url="http://sut", request=request, answer=Answer(status=status, headers=headers, body=body, elapsed_s=0)
    )


def broken(*exchanges: Exchange) -> set[str]:
    witness = Witness()
    for number in range(100):
        witness.see(exchange(number, status=200 if number % 3 else 404))
    for one in exchanges:
        witness.see(one)
    try:
        witness.demand_all_kept()
    except Violated as violated:
        return {violation.rule for violation in violated.violations}
    return set()


def test_good_answers_are_good() -> None:
    assert broken(exchange(100, got="mine", sent="mine")) == set()


@pytest.mark.parametrize(
    ("one", "rules"),
    [
        (exchange(100, got=None), {"C11"}),
        (exchange(100, got="made-up-100", sent="mine"), {"C11"}),
        (exchange(100, status=500, body=b"<html>"), {"C10"}),
        (exchange(100, status=302, body=b""), {"C10"}),
        (exchange(100, status=404, body=b"", got=None), {"C10", "C11"}),
    ],
)
def test_one_bad_answer_among_many_is_found(one: Exchange, rules: set[str]) -> None:
    assert broken(one) == rules


@pytest.mark.parametrize(
    "one",
    [
        exchange(100, status=404, method="HEAD", body=b""),
        exchange(100, status=501, method="TRACE", body=b"", got=None),
        exchange(100, status=431, sent="x" * 2_000, body=b"", got=None),
        exchange(100, sent="x" * 129),
    ],
)
def test_what_the_contract_leaves_open_breaks_nothing(one: Exchange) -> None:
    assert broken(one) == set()


def test_ids_may_meet_by_chance_and_no_oftener() -> None:
    repeated = [exchange(100 + number, got=f"made-up-{number}") for number in range(3)]
    assert broken(repeated[0]) == set()
    assert broken(*repeated) == {"C11"}


def test_the_first_to_break_it_can_be_repeated() -> None:
    witness = Witness()
    witness.see(exchange(1, got=None))
    with pytest.raises(Violated, match=r"curl .*http://sut/nowhere"):
        witness.demand_all_kept()
