"""C8, C9, C10: bodies that are too large, or not what their type says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import demand, judge_refusal
from harness.contract.records import CONTENT_TYPES, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.system.client import Client

pytestmark = pytest.mark.contract

NOT_JSON = {
    "empty": b"",
    "blank": b"  \n",
    "a word": b"window",
    "cut off": b'{"window": [{"price_open": 1',
    "a trailing comma": b'{"window": [],}',
    "two objects": b"{}{}",
    "single quotes": b"{'window': []}",
    "an array at the top": b"[]",
    "a string at the top": b'"window"',
    "a number at the top": b"7",
    "null at the top": b"null",
    "bad UTF-8": b'{"window": "\xff\xfe"}',
}
NOT_CSV = {
    "empty": b"",
    "bad UTF-8": b"time_period_start,price_open\n\xff\xfe,1\n",
}


@pytest.mark.rule("C9", "C10")
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_no_json_object_is_400(client: Client, body: bytes) -> None:
    """A body that is not what its type says MUST get 400."""
    exchange = client.invoke(body)
    demand(judge_refusal(exchange.answer, rule="C9", status=[400]), exchange)


@pytest.mark.rule("C9", "C10")
def test_deep_nesting_is_refused(client: Client, profile: Profile) -> None:
    """JSON that nests deeper than a parser goes MUST get 400; a parser that goes there finds no records: 422."""
    exchange = client.invoke(b'{"%s":' % profile.window.key.encode() + b"[" * 100_000 + b"]" * 100_000 + b"}")
    demand(judge_refusal(exchange.answer, rule="C9", status=[400, 422]), exchange)


@pytest.mark.rule("C9", "C10")
@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
def test_json_literals_that_json_does_not_have_are_400(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], literal: str
) -> None:
    """NaN and Infinity literals MUST get 400."""
    good = encode(profile.window, fresh_window(), "json").decode()
    name = profile.window.of_kind("number")[0]
    value = json.loads(good)[profile.window.key][0][name]
    exchange = client.invoke(good.replace(f'"{name}":{json.dumps(value)}', f'"{name}":{literal}', 1).encode())
    demand(judge_refusal(exchange.answer, rule="C9", status=[400]), exchange)


@pytest.mark.rule("C9", "C10")
@pytest.mark.parametrize("body", NOT_CSV.values(), ids=NOT_CSV.keys())
def test_what_is_no_csv_is_400(client: Client, body: bytes) -> None:
    """A body that is not what its type says MUST get 400."""
    exchange = client.invoke(body, CONTENT_TYPES["csv"])
    demand(judge_refusal(exchange.answer, rule="C9", status=[400]), exchange)


@pytest.mark.rule("C9", "C10")
@pytest.mark.parametrize("cells", ["7", ",7,7"], ids=["too few cells", "too many cells"])
def test_ragged_csv_is_400(client: Client, profile: Profile, fresh_window: Callable[[], Window], cells: str) -> None:
    """Ragged CSV MUST get 400."""
    lines = encode(profile.window, fresh_window(), "csv").decode().splitlines()
    lines[30] = lines[30] + cells if cells.startswith(",") else cells
    exchange = client.invoke("\n".join(lines).encode(), CONTENT_TYPES["csv"])
    demand(judge_refusal(exchange.answer, rule="C9", status=[400]), exchange)
