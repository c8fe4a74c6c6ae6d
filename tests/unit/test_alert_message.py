"""What is told: the key, the limits of one message, escaping, and what must not be shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.alerts.alert import Alert, Headline
from harness.alerts.entry import Entry, duration
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


def told(*alerts: Alert) -> list[Entry]:
    return [Entry(alert=alert) for alert in alerts]


def test_the_key_is_what_is_wrong_and_where() -> None:
    measured = replace(ALERT, evidence="expected 200, got 503 after 1.7 s", severity="warning", must="reworded")
    assert measured.dedup_key == ALERT.dedup_key
    others = [replace(ALERT, target="other"), replace(ALERT, rule="other"), replace(ALERT, check="other")]
    assert len({alert.dedup_key for alert in (ALERT, *others)}) == 4


def test_the_key_follows_the_named_row_keys_in_any_order() -> None:
    by_rule = replace(ALERT, row_keys=("rule", "target"))
    assert by_rule.dedup_key == replace(ALERT, row_keys=("target", "rule"), check="another").dedup_key
    assert by_rule.dedup_key != ALERT.dedup_key


@pytest.mark.parametrize("keys", [("target", "evidence"), ("severity",), ()])
def test_a_row_key_that_varies_with_the_measurement_is_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="use target, variant, rule, check, or columns of a record"):
        replace(ALERT, row_keys=keys)


def test_a_variant_counts_where_it_is_a_row_key() -> None:
    blue, green = (replace(ALERT, variant=name, row_keys=("target", "variant", "rule")) for name in ("blue", "green"))
    assert blue.dedup_key != green.dedup_key
    assert replace(ALERT, variant="blue").dedup_key == replace(ALERT, variant="green").dedup_key


def test_an_alert_about_a_record_goes_by_the_records_columns_and_one_about_none_by_the_default() -> None:
    keys = ("user_id", "pam_user_id")
    first = replace(ALERT, row={"user_id": "7", "pam_user_id": "x"}, row_keys=keys)
    assert first.dedup_key == replace(first, target="other", check="other", evidence="other").dedup_key
    assert first.dedup_key != replace(first, row={"user_id": "8", "pam_user_id": "x"}).dedup_key
    assert replace(ALERT, row_keys=keys).dedup_key == ALERT.dedup_key


def test_the_key_is_the_same_in_every_process_and_version() -> None:
    """What was told before an update of the harness must still be known after it."""
    assert ALERT.dedup_key == "3ebc3ca2ab02a7a840d5dc6d26ba366f6c30a8e2963c784a533fffa73f7cff59"


def test_the_message_says_verdict_image_rule_promise_check_and_evidence() -> None:
    message = compose(HEADLINE, told(ALERT), ["2 known failures"])
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
    sections = compose(HEADLINE, told(*alerts)).sections
    assert [(section.rule, len(section.items)) for section in sections] == [("C5", 1), ("D1", 2)]


def test_what_is_well_again_is_struck_out_and_the_title_says_so_when_all_is() -> None:
    well = Entry(alert=ALERT, status="well again since then", is_well=True)
    half = compose(HEADLINE, [well, Entry(alert=replace(ALERT, check="b"), status="still failing, 3 times")])
    assert plain(half).startswith("FAILED: shop/predictor\n1 failure · 1 recovered · profile default")
    text = blocks(half)[2]["text"]["text"]
    assert f"• ~`{ALERT.check}`~" in text
    assert "still failing, 3 times" in text
    assert plain(compose(HEADLINE, [well])).startswith("RECOVERED: shop/predictor\n1 recovered")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.6, "1 min"), (3_600, "1 h"), (11_520, "3 h 12 min"), (90_061, "1 d 1 h")]
)
def test_a_duration_is_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize("rules", [1, 46, 100])
@pytest.mark.parametrize("sign", ["x", "&", "`"])
def test_a_storm_keeps_slacks_limits_and_says_how_much_it_leaves_out(rules: int, sign: str) -> None:
    alerts = [
        replace(ALERT, rule=f"R{rule}", check=f"{check}" + sign * 500, must=sign * 5_000, evidence=sign * 5_000)
        for rule in range(rules)
        for check in range(9)
    ]
    message = compose(replace(HEADLINE, target=sign * 900), told(*alerts), ["known " + sign * 3_000])
    shown = len(message.sections)
    assert content_error({"text": fallback_text(message), "blocks": blocks(message)}) is None
    assert len(blocks(message)) <= 45
    assert shown >= 1
    if rules > shown:
        assert f"and {(rules - shown) * 9} more failures of {rules - shown} more rules" in plain(message)


def test_forty_two_short_rules_fill_the_message_and_no_more() -> None:
    alerts = [replace(ALERT, rule=f"R{rule}", must="", evidence="") for rule in range(60)]
    message = compose(HEADLINE, told(*alerts))
    assert len(blocks(message)) == 45
    assert "and 18 more failures of 18 more rules" in plain(message)


@settings(max_examples=30, deadline=None)
@given(text=TEXTS)
def test_no_text_of_a_container_pings_or_breaks_the_limits(text: str) -> None:
    loud = f"<!channel> <@U12345> <https://x.test|here> & {text} <!here"
    alert = replace(ALERT, rule=loud, check=loud, must=loud, evidence=loud, target=loud)
    message = compose(replace(HEADLINE, target=loud, report=loud), told(alert), [loud])
    post = {"text": fallback_text(message), "blocks": blocks(message)}
    assert mentions(post) == []
    assert content_error(post) is None


def test_escape_sequences_and_lone_surrogates_reach_no_terminal() -> None:
    shown = plain(compose(HEADLINE, told(replace(ALERT, evidence="a\x1b[31mred\udc80\r\nb\x00c"))))
    assert "a [31mred b c" in shown
    assert shown.encode().isascii() is False  # encodable, and the dots between the facts are there


@pytest.mark.parametrize(
    "canary", ["xoxb-1-abc", "xoxp-9-x", "xoxe.xoxb-1-a", "xoxr-1", "xapp-1-A", "token-of-another-kind"]
)
def test_tokens_are_taken_out_of_every_text(canary: str) -> None:
    redaction = Redaction(token="token-of-another-kind")  # noqa: S106 - a canary
    text = f"sent ({canary})_{canary}"
    alert = replace(ALERT, evidence=text, check=text, must=text, target=text, variant=text, row={"user": text})
    shown = (redaction.alert(alert), redaction)
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
