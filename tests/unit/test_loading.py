"""What a container says while it loads: HEAD as GET, where GET says the same before and after."""

from __future__ import annotations

import pytest

from harness.contract.loading import Seen, judge_loading
from harness.contract.profile import load_profile
from harness.system.client import Answer

PROFILE = load_profile()
ERROR = b'{"error": {"code": "loading", "dimension": null, "message": "the model is loading"}}'


def seen(at_s: float, status: int, *, is_head: bool = False) -> Seen:
    headers = {"content-type": "application/json"}
    answer = Answer(status=status, headers=headers, body=b"" if is_head else ERROR, elapsed_s=0.01)
    return Seen(sent_s=at_s, ended_s=at_s + 0.01, is_head=is_head, answer=answer)


@pytest.mark.parametrize(
    ("before", "head", "after", "rules"),
    [
        (503, 503, 503, set()),
        (200, 200, 200, set()),
        (503, 200, 503, {"C7"}),
        (200, 503, 200, {"C7"}),
        (503, 200, 200, set()),
        (503, 503, 200, set()),
    ],
)
def test_head_is_as_get_is(before: int, head: int, after: int, rules: set[str]) -> None:
    talk = [seen(0.0, before), seen(0.1, head, is_head=True), seen(0.2, after)]
    assert {violation.rule for violation in judge_loading(talk, PROFILE)} == rules


def test_head_is_compared_by_when_it_was_sent_wherever_it_stands() -> None:
    became_ready = [seen(0.0, 503), seen(0.3, 200, is_head=True), seen(0.2, 503), seen(0.4, 200)]
    assert judge_loading(became_ready, PROFILE) == []
