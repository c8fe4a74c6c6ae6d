"""What is sent: shares of JSON, CSV and broken requests, and breaches that are breaches."""

from __future__ import annotations

import dataclasses
import time

import pytest

from harness.contract.data_rules import broken_rules
from harness.load.broken import WAYS, break_window, ways_for
from harness.load.glance import Refused, newest_of, newest_unchecked
from harness.load.payloads import Payload, Ring, window_at
from tests.unit.test_load_judge import ORIGIN, PLAN, PROFILE, WINDOW

NOW_S = ORIGIN.end_ns / 1e9


def taken(count: int, **load: float) -> list[Payload]:
    profile = dataclasses.replace(PROFILE, load=dataclasses.replace(PROFILE.load, **load))  # type: ignore[arg-type]
    ring = Ring(dataclasses.replace(PLAN, profile=profile))
    return [ring.take() for _ in range(count)]


def test_the_mix_is_the_profiles() -> None:
    payloads = taken(2_000, csv_share=0.25, broken_share=0.1)
    good = [one for one in payloads if not one.way]
    assert len(good) / len(payloads) == pytest.approx(0.9, abs=0.02)
    assert sum(one.codec == "csv" for one in good) / len(good) == pytest.approx(0.25, abs=0.03)
    ways = {(one.way, one.codec) for one in payloads if one.way}
    assert ways == {(way, codec) for way in WAYS for codec in ("json", "csv")}


def test_a_mix_without_csv_or_broken_requests_has_none() -> None:
    assert {(one.codec, one.way) for one in taken(200, csv_share=0, broken_share=0)} == {("json", "")}
    assert {one.codec for one in taken(200, csv_share=1)} == {"csv"}


def test_what_is_good_is_good_and_what_is_broken_is_broken_in_its_way() -> None:
    rule = PROFILE.window
    for one in taken(300, broken_share=0.5):
        window, now_s = window_at(PLAN, one.origin), time.time()
        assert broken_rules(rule, window, now_s=now_s) == set()
        if one.way and one.way != "cut short":
            assert WAYS[one.way].rule in broken_rules(rule, break_window(one.way, rule, window), now_s=now_s)


def test_a_rule_that_is_waived_or_cannot_be_broken_is_left_out() -> None:
    assert ways_for(PROFILE, WINDOW, now_s=NOW_S) == tuple(WAYS)
    waived = dataclasses.replace(PROFILE, waived={"D5": "takes any number"})
    assert "a record short" not in ways_for(waived, WINDOW, now_s=NOW_S)
    fields = PROFILE.window.fields
    without = {name: dataclasses.replace(field, above=None, plausible=None) for name, field in fields.items()}
    unlimited = dataclasses.replace(PROFILE, window=dataclasses.replace(PROFILE.window, fields=without))
    assert "a price below zero" not in ways_for(unlimited, WINDOW, now_s=NOW_S)


def test_the_known_truth_takes_what_is_good_and_refuses_what_our_load_breaks() -> None:
    for one in taken(300, broken_share=0.5):
        is_csv, now_s = one.codec == "csv", time.time()
        if not one.way:
            newest = newest_of(one.body, is_csv=is_csv, now_s=now_s)
            assert newest.end == window_at(PLAN, one.origin).newest("time_period_end")
            assert newest == newest_unchecked(one.body, is_csv=is_csv)
            continue
        with pytest.raises(Refused) as refusal:
            newest_of(one.body, is_csv=is_csv, now_s=now_s)
        assert refusal.value.status == (400 if one.way == "cut short" else 422)
