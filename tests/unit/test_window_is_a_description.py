"""The window is a description in a profile: another team's is a TOML file, and no name of ours stands in the code."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness
from harness.contract.breaches import breaches, kinds_of_breaches
from harness.contract.data_rules import broken_rules
from harness.contract.good_windows import ways
from harness.contract.judge import judge_prediction
from harness.contract.malformed import MALFORMED, is_json
from harness.contract.malformed_csv import csv_flaws
from harness.contract.malformed_json import json_flaws
from harness.contract.profile import DEFAULT_PROFILE, load_profile
from harness.contract.records import build, encode, last_whole_second_ns
from harness.contract.series import generate
from harness.system.client import Answer

if TYPE_CHECKING:
    from harness.contract.breach import Breach
    from harness.contract.good_windows import Way
    from harness.contract.malformed import Flaw
    from harness.contract.profile import Profile
    from harness.contract.records import Codec, Window

CODE = Path(harness.__file__).parent
# Candles of five seconds, without events, volume or count: nothing of the default window but its roles.
OTHER = """
schema = 1
name = "candles"

[window]
key = "candles"
records = 12
period_s = 5
max_age_s = 90
max_ahead_s = 1
relations = ["l <= o", "l <= c", "o <= h", "c <= h"]

[window.fields.since]
kind = "timestamp"
role = "start"

[window.fields.until]
kind = "timestamp"
role = "end"

[window.fields.o]
kind = "number"
role = "open"
above = 0
plausible = [0.5, 1000]

[window.fields.h]
kind = "number"
role = "high"
above = 0
plausible = [0.5, 1000]

[window.fields.l]
kind = "number"
role = "low"
above = 0
plausible = [0.5, 1000]

[window.fields.c]
kind = "number"
role = "close"
above = 0
plausible = [0.5, 1000]
"""
NOW_S = 1_790_000_000.25
SOME = settings(max_examples=40, database=None)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    path = tmp_path_factory.mktemp("profiles") / "candles.toml"
    path.write_text(OTHER, encoding="utf-8")
    return load_profile(path)


@pytest.fixture(scope="module")
def good(other: Profile) -> Window:
    seconds = generate(seed=1, seconds=other.window.records, level=100.0)
    return build(other.window, seconds, end_ns=last_whole_second_ns(NOW_S))


def test_no_field_of_the_default_window_is_named_in_the_code() -> None:
    names = tomllib.loads(DEFAULT_PROFILE.read_text(encoding="utf-8"))["window"]["fields"]
    named = re.compile(rf"\b(?:{'|'.join(names)})\b")
    found = {path: named.findall(path.read_text(encoding="utf-8")) for path in CODE.rglob("*.py")}
    assert found
    assert {path: names for path, names in found.items() if names} == {}


def test_another_window_is_good(other: Profile, good: Window) -> None:
    assert broken_rules(other.window, good, now_s=NOW_S) == set()
    assert set(json.loads(encode(other.window, good, "json"))["candles"][0]) == {"since", "until", "o", "h", "l", "c"}
    assert encode(other.window, good, "csv").startswith(b"since,until,o,h,l,c\n")


def test_another_window_breaks_as_ours_does(other: Profile, good: Window) -> None:
    for rule_id, kinds in kinds_of_breaches(other.window).items():
        for breach, _ in (sent for kind in kinds for sent in kind.always):
            assert rule_id in broken_rules(other.window, breach.of(good), now_s=NOW_S), breach


@pytest.mark.parametrize("rule_id", [f"D{number}" for number in range(1, 12)])
def test_another_window_breaks_anywhere(other: Profile, good: Window, rule_id: str) -> None:
    @SOME
    @given(breach=breaches(other.window)[rule_id])
    def check(breach: Breach) -> None:
        assert rule_id in broken_rules(other.window, breach.of(good), now_s=NOW_S)

    check()


def test_another_window_is_sent_in_other_ways(other: Profile, good: Window) -> None:
    @SOME
    @given(way=ways(other.window), codec=st.sampled_from(["json", "csv"]))
    def check(way: Way, codec: Codec) -> None:
        assert broken_rules(other.window, way.window(good), now_s=NOW_S) == set()
        assert way.body(other.window, good, codec)

    check()


def test_another_windows_bodies_are_malformed(other: Profile, good: Window) -> None:
    @SOME
    @given(flaw=st.one_of(json_flaws(other.window), csv_flaws(other.window)))
    def check(flaw: Flaw) -> None:
        body = flaw.of(other.window, encode(other.window, good, flaw.codec))
        assert body != encode(other.window, good, flaw.codec)
        assert flaw.codec == "csv" or flaw.statuses != MALFORMED or not is_json(body)

    check()


def test_another_windows_answer_is_judged(other: Profile, good: Window) -> None:
    content = {
        "prediction": good.newest("c"),
        "as_of": good.newest("until"),
        "horizon_s": 1,
        "model": {"name": "last", "version": "1"},
        "anomalies": [],
    }
    answer = Answer(status=200, headers={}, body=json.dumps(content).encode(), elapsed_s=0.01)
    assert judge_prediction(good, answer, other) == []
