"""What is told: the key, the limits of one message, escaping, and what must not be shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.alerts.alert import Alert, Headline
from harness.alerts.message import blocks, compose, fallback_text, plain
from harness.alerts.redaction import Redaction
from harness.alerts.slack_rules import content_error
from harness.alerts.slack_server import mentions

ALERT = Alert(
    target="shop/predictor",
    rule="C3",
    check="contract/test_ping.py::test_ping_is_200",
    must="GET /ping MUST be 200.",
    evidence="expected 200, got 500",
)
HEADLINE = Headline(
    verdict="FAILED", target="shop/predictor", profile="default", duration_s=92.4, report="out/verdict.json"
)
TEXTS = st.text(max_size=4_000)


def test_the_key_is_what_is_wrong_and_where() -> None:
    measured = replace(ALERT, evidence="expected 200, got 503 after 1.7 s", severity="warning", must="reworded")
    assert measured.dedup_key == ALERT.dedup_key
    others = [replace(ALERT, target="other"), replace(ALERT, rule="other"), replace(ALERT, check="other")]
    assert len({alert.dedup_key for alert in (ALERT, *others)}) == 4


def test_the_key_follows_the_named_row_keys_in_any_order() -> None:
    by_rule = replace(ALERT, row_keys=("rule", "target"))
    assert by_rule.dedup_key == replace(ALERT, row_keys=("target", "rule"), check="another").dedup_key
    assert by_rule.dedup_key != ALERT.dedup_key


@pytest.mark.parametrize("keys", [("target", "evidence"), ("now",), ()])
def test_a_row_key_that_varies_with_the_measurement_is_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="use one or more of target, rule, check"):
        replace(ALERT, row_keys=keys)


def test_the_message_says_verdict_image_rule_promise_check_and_evidence() -> None:
    message = compose(HEADLINE, [ALERT], ["2 known failures"])
    assert plain(message) == (
        "FAILED: shop/predictor\n1 new failure · profile default · took 92 s · report: out/verdict.json\n\n"
        "C3  GET /ping MUST be 200.\n  - contract/test_ping.py::test_ping_is_200\n    expected 200, got 500\n\n"
        "2 known failures"
    )
    sent = str(blocks(message))
    for said in (HEADLINE.verdict, HEADLINE.target, ALERT.rule, ALERT.must, ALERT.check, ALERT.evidence):
        assert said in sent


def test_critical_rules_come_first_and_a_rule_has_one_section() -> None:
    alerts = [
        replace(ALERT, rule="D1", severity="warning"),
        replace(ALERT, rule="C5"),
        replace(ALERT, rule="D1", check="second", severity="warning"),
    ]
    sections = compose(HEADLINE, alerts).sections
    assert [(section.rule, len(section.checks)) for section in sections] == [("C5", 1), ("D1", 2)]


@pytest.mark.parametrize("rules", [1, 46, 100])
@pytest.mark.parametrize("sign", ["x", "&", "`"])
def test_a_storm_keeps_slacks_limits_and_says_how_much_it_leaves_out(rules: int, sign: str) -> None:
    alerts = [
        replace(ALERT, rule=f"R{rule}", check=f"{check}" + sign * 500, must=sign * 5_000, evidence=sign * 5_000)
        for rule in range(rules)
        for check in range(9)
    ]
    message = compose(replace(HEADLINE, target=sign * 900), alerts, ["known " + sign * 3_000])
    shown = len(message.sections)
    assert content_error({"text": fallback_text(message), "blocks": blocks(message)}) is None
    assert len(blocks(message)) <= 45
    assert shown >= 1
    if rules > shown:
        assert f"and {(rules - shown) * 9} more failures of {rules - shown} more rules" in plain(message)


def test_forty_two_short_rules_fill_the_message_and_no_more() -> None:
    alerts = [replace(ALERT, rule=f"R{rule}", must="", evidence="") for rule in range(60)]
    message = compose(HEADLINE, alerts)
    assert len(blocks(message)) == 45
    assert "and 18 more failures of 18 more rules" in plain(message)


@settings(max_examples=30, deadline=None)
@given(text=TEXTS)
def test_no_text_of_a_container_pings_or_breaks_the_limits(text: str) -> None:
    loud = f"<!channel> <@U12345> <https://x.test|here> & {text} <!here"
    alert = replace(ALERT, rule=loud, check=loud, must=loud, evidence=loud, target=loud)
    message = compose(replace(HEADLINE, target=loud, report=loud), [alert], [loud])
    post = {"text": fallback_text(message), "blocks": blocks(message)}
    assert mentions(post) == []
    assert content_error(post) is None


def test_escape_sequences_and_lone_surrogates_reach_no_terminal() -> None:
    told = plain(compose(HEADLINE, [replace(ALERT, evidence="a\x1b[31mred\udc80\r\nb\x00c")]))
    assert "a [31mred b c" in told
    assert told.encode().isascii() is False  # encodable, and the dots between the facts are there


@pytest.mark.parametrize(
    "canary", ["xoxb-1-abc", "xoxp-9-x", "xoxe.xoxb-1-a", "xoxr-1", "xapp-1-A", "token-of-another-kind"]
)
def test_tokens_are_taken_out_of_every_text(canary: str) -> None:
    redaction = Redaction(token="token-of-another-kind")  # noqa: S106 - a canary
    told = f"sent ({canary})_{canary}"
    shown = redaction.alert(replace(ALERT, evidence=told, check=told, must=told, target=told))
    assert canary not in str(shown)


def test_logins_in_addresses_and_headers_are_taken_out() -> None:
    shown = Redaction().text(
        "http://al:pw@host/ping Authorization: Bearer abcdefgh12 https://hooks.slack.com/services/T/B"
    )
    assert shown == "http://[login]@host/ping Authorization: Bearer [secret] https://hooks.slack.com/[secret]"


def test_the_home_directory_is_shown_as_a_tilde() -> None:
    redaction = Redaction(home="/home/al")
    assert redaction.text("/home/al/out /home/alice /home/al") == "~/out /home/alice ~"
    shown = redaction.headline(replace(HEADLINE, report="/home/al/out/verdict.json"))
    assert shown.report == "~/out/verdict.json"
