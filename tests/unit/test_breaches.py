"""Each strategy breaks a good window in just its way, and good windows break nothing."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract.breach import Breach
from harness.contract.breaches import breaches, kinds_of_breaches
from harness.contract.data_rules import broken_rules
from harness.contract.profile import load_profile
from harness.contract.records import build, encode, last_whole_second_ns, moment_ns, timestamp
from harness.contract.series import generate

RULE = load_profile().window
NOW_S = 1_790_000_000.25
GOOD = build(RULE, generate(seed=1, seconds=RULE.records), end_ns=last_whole_second_ns(NOW_S))
# What cannot be otherwise: blanks may be taken for nothing, 0 is also no plausible price, a period that ends late
# overlaps the next, and where the last record is an old one, a container that takes it for the newest finds it too old.
ALONG = {"D2": {"D4"}, "D3": {"D11"}, "D7": {"D9"}, "D8": {"D6"}}
KINDS = kinds_of_breaches(RULE)


@pytest.mark.parametrize("rule_id", breaches(RULE))
def test_breach_breaks_its_rule_and_no_other(rule_id: str) -> None:
    @settings(max_examples=40, database=None)
    @given(breach=breaches(RULE)[rule_id])
    def check(breach: Breach) -> None:
        broken = broken_rules(RULE, breach.of(GOOD), now_s=NOW_S)
        assert rule_id in broken
        assert broken <= {rule_id} | ALONG.get(rule_id, set())

    check()


@pytest.mark.parametrize("rule_id", KINDS)
def test_what_is_always_sent_breaks_its_rule_and_no_other(rule_id: str) -> None:
    for kind in KINDS[rule_id]:
        for breach, codec in kind.always:
            broken = broken_rules(RULE, breach.of(GOOD), now_s=NOW_S)
            assert codec in breach.codecs
            assert rule_id in broken, breach
            assert broken <= {rule_id} | ALONG.get(rule_id, set()), breach


@pytest.mark.parametrize("rule_id", KINDS)
def test_each_codec_always_carries_a_breach_of_each_rule(rule_id: str) -> None:
    assert {codec for kind in KINDS[rule_id] for _, codec in kind.always} == {"json", "csv"}


@pytest.mark.parametrize("level", [1.0, 250.0, 30_000.0, 990_000.0])
def test_generated_windows_are_good(level: float) -> None:
    window = build(RULE, generate(seed=5, seconds=RULE.records, level=level), end_ns=last_whole_second_ns(NOW_S))
    assert broken_rules(RULE, window, now_s=NOW_S) == set()


def test_both_codecs_carry_the_same_values() -> None:
    from_json = json.loads(encode(RULE, GOOD, "json"))[RULE.key]
    from_csv = list(csv.DictReader(io.StringIO(encode(RULE, GOOD, "csv").decode())))
    assert [{key: str(value) for key, value in record.items()} for record in from_json] == from_csv


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_timestamps_are_read_as_written(moment: int) -> None:
    assert moment_ns(timestamp(moment)) == moment


@pytest.mark.parametrize("text", ["2023-02-29T00:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01T00:00:00", 7, None, ""])
def test_what_is_no_timestamp_is_none(text: object) -> None:
    assert moment_ns(text) is None


@pytest.mark.parametrize(("age_s", "broken"), [(59, set()), (61, {"D9"}), (-1, set()), (-3, {"D10"})])
def test_age_is_judged_at_its_limits(age_s: int, broken: set[str]) -> None:
    assert broken_rules(RULE, GOOD, now_s=last_whole_second_ns(NOW_S) / 1e9 + age_s) == broken
