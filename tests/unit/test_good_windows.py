"""Whatever way a good window is sent, it stays good, and means the same."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings

from harness.contract.data_rules import broken_rules
from harness.contract.good_windows import Way, each_way, ways
from harness.contract.profile import load_profile
from harness.contract.records import build, encode, last_whole_second_ns, moment_ns
from harness.contract.series import generate

RULE = load_profile().window
NOW_S = 1_790_000_000.25
GOOD = build(RULE, generate(seed=1, seconds=RULE.records), end_ns=last_whole_second_ns(NOW_S))
NUMBERS = RULE.of_kind("number", "integer")


@settings(max_examples=150, database=None)
@given(way=ways(RULE))
def test_a_good_window_stays_good(way: Way) -> None:
    assert broken_rules(RULE, way.window(GOOD), now_s=NOW_S) == set()


@pytest.mark.parametrize("way", each_way(RULE), ids=repr)
def test_each_way_is_good_and_another_than_the_usual(way: Way) -> None:
    assert broken_rules(RULE, way.window(GOOD), now_s=NOW_S) == set()
    assert any(way.body(RULE, GOOD, codec) != encode(RULE, GOOD, codec) for codec in way.codecs)


@settings(max_examples=150, database=None)
@given(way=ways(RULE))
def test_json_and_csv_carry_the_numbers_that_were_meant(way: Way) -> None:
    meant = [[record[name] for name in NUMBERS] for record in GOOD.records]
    for codec in way.codecs:
        body = way.body(RULE, GOOD, codec)
        rows = json.loads(body)[RULE.key] if codec == "json" else list(csv.DictReader(io.StringIO(body.decode())))
        assert [[float(row[name]) for name in NUMBERS] for row in rows] == meant


@settings(max_examples=150, database=None)
@given(way=ways(RULE))
def test_a_second_without_trades_keeps_the_times_of_its_period(way: Way) -> None:
    silent = [record for record in way.window(GOOD).records if not record[RULE.named("count")]]
    moments = [[moment_ns(record[name]) for name in RULE.of_kind("timestamp")] for record in silent]
    assert silent
    assert all((first, last) == (start, end) for start, end, first, last in moments)
