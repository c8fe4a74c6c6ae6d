"""What a form of JSON has no use for, or cannot show, is told in one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.contract.contradictions import contradictions
from harness.contract.profile import load_profile
from harness.contract.window_rule import OF_TIMES

PROFILE = load_profile()
PRICES = PROFILE.window.prices
WAIVED = dict.fromkeys(OF_TIMES, "no time is sent")
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown column": ({"json": "rows", "columns": (*PROFILE.window.fields, "price")}, "holds 'price': name fields"),
    "a column twice": ({"json": "rows", "columns": (*PROFILE.window.fields, "price_low")}, "holds a field twice"),
    "columns of records": ({"columns": tuple(PROFILE.window.fields)}, "`json = 'records'` names each field"),
    "columns of v2": ({"json": "v2", "columns": tuple(PROFILE.window.fields)}, "`json = 'v2'` names each field"),
    "a time in a tensor": (
        {"json": "tensor", "columns": tuple(PROFILE.window.fields)},
        "a tensor of FP64 holds numbers",
    ),
    "a batch of records": ({"batch": True}, "`json = 'records'` has no batch"),
    "a split batch": ({"json": "split", "batch": True}, "`json = 'split'` has no batch"),
    "a tensor's name": ({"json": "v2", "tensor_name": "x"}, "`window.tensor_name` is 'x': it is of `json = 'tensor'`"),
    "a tensor's type": ({"tensor_datatype": "FP32"}, "`window.tensor_datatype` is 'FP32': it is of"),
    "a tensor without a name": ({"json": "tensor", "tensor_name": ""}, "`window.tensor_name` must not be empty"),
    "no target": ({"json": "rows", "columns": ("price_low",)}, "leaves out 'price_close', which is what is predicted"),
    "no times": ({"json": "tensor"}, "so that none shows a breach of D6, D7, D8, D9, D10: waive them"),
    "no end": ({"json": "rows", "columns": ("time_period_start", *PRICES)}, "no JSON body holds 'time_period_end'"),
    "an end that is not sent": ({"json": "tensor"}, "`answer.as_of` is promised"),
}


@pytest.mark.parametrize(("form", "says"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_is_told(form: dict[str, Any], says: str) -> None:
    told = list(contradictions(replace(PROFILE, window=replace(PROFILE.window, **form))))
    assert [one for one in told if says in one], told


@pytest.mark.parametrize(
    "form",
    [
        {"json": "rows"},
        {"json": "rows", "batch": True},
        {"json": "columns", "batch": True},
        {"json": "v2", "batch": True},
        {"json": "tensor", "tensor_name": "x", "tensor_datatype": "FP32", "batch": True},
        {"json": "rows", "columns": PRICES},
    ],
    ids=str,
)
def test_what_can_be_is_no_contradiction(form: dict[str, Any]) -> None:
    without_end = replace(PROFILE.answer, as_of="")
    profile = replace(PROFILE, window=replace(PROFILE.window, **form), answer=without_end, waived=WAIVED)
    assert list(contradictions(profile)) == []
