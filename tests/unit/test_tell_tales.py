"""What gives the inside away is told from what a good message may say."""

from __future__ import annotations

import json

import pytest

from harness.contract.judge import judge_error_body
from harness.contract.keys import Refusals
from harness.system.client import Answer


def answer(message: str, code: str = "x") -> Answer:
    body = json.dumps({"error": {"code": code, "dimension": None, "message": message}}).encode()
    return Answer(status=400, headers={"content-type": "application/json"}, body=body, elapsed_s=0.1)


@pytest.mark.parametrize(
    "message",
    [
        'Traceback (most recent call last):\n  File "x"',
        "no such file: /opt/ml/model/1",
        "cannot read /models/1/weights",
        r"C:\service\model",
        "in handler.py",
        "server.js:12:7",
        "main.go:33",
        "site-packages",
        "the numpy array is empty",
        "werkzeug",
        "com.fasterxml.jackson.core",
        "java.lang.IllegalStateException: no",
        "JsonParseException: no",
        "x\n    at Object.<anonymous> (x)",
        "x\n\tat com.example.Main.run(Unknown Source)",
        "goroutine 7 [running]:",
        "thread 'main' panicked",
        "<object at 0x7f12ab34cd56>",
        "KeyError: 'window'",
        "json.JSONDecodeError: Expecting value",
        '  File "<string>", line 3, in predict',
        "UnicodeDecodeError: 'utf-8' codec",
    ],
)
def test_the_inside_is_seen(message: str) -> None:
    assert [violation.rule for violation in judge_error_body(answer(message), Refusals())] == ["C10"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationError", "unexpected character at line 1 column 9 (byte 8)"),
        ("TypeError", "a number was expected, and came as text"),
        ("ModelError", "window[3].price_low is greater than window[3].price_open"),
        ("JSON", "invalid JSON: expected `,` or `}` at offset 12"),
        ("unsupported", "Content-Type must be application/json or text/csv"),
        ("not_found", "POST /invocations and GET /ping are all there is"),
        ("error", "time_period_end 2026-01-01T00:00:00.0000000Z lies 61.5 s back; at most 60 s are allowed"),
        ("JSONDecodeError", "row 30 is malformed: line 31, in column price_open"),
        ("malformed", "an index, a key or a value is wrong: see row 7, and so on."),
    ],
)
def test_a_good_message_is_no_tell_tale(code: str, message: str) -> None:
    assert judge_error_body(answer(message, code), Refusals()) == []


def test_what_was_sent_may_be_quoted() -> None:
    quoting = answer("no route for /etc/passwd")
    assert judge_error_body(quoting, Refusals())
    assert judge_error_body(quoting, Refusals(), sent="/etc/passwd") == []
