"""`harness alerts`: what people at a terminal see of the ledger, and do to it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from harness.alerts import Alert, Checked, Desk, Headline, Observation, announce
from harness.alerts.retry import Budget
from harness.alerts.slack_server import Fault, SlackServer
from harness.alerts_command import run_alerts
from harness.cli import _parser, main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALERT = Alert(target="shop/predictor", rule="C3", check="ping", must="It MUST.", evidence="got 500")
KEY = ALERT.dedup_key[:12]
HEADLINE = Headline(verdict="FAILED", target="shop/predictor", profile="p", at=time.time(), duration_s=1.0)


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SlackServer]:
    for name, value in {"SLACK_BOT_TOKEN": "xoxb-test", "NO_PROXY": "127.0.0.1", "TMPDIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("OPS_NOTIFICATIONS_SLACK_CHANNEL", raising=False)
    monkeypatch.setenv("SUT_LEDGER", str(tmp_path / "ledger.sqlite3"))
    with SlackServer() as server:
        yield server


def ask(slack: SlackServer, *words: str) -> tuple[int, str]:
    said: list[str] = []
    status = run_alerts(_parser().parse_args(["alerts", *words]), said.append, base_url=slack.base_url)
    return status, "\n".join(said)


def tell(slack: SlackServer, tmp_path: Path, *alerts: Alert, well: tuple[str, ...] = ()) -> None:
    desk = Desk(
        ledger_path=tmp_path / "ledger.sqlite3",
        environ={"SLACK_BOT_TOKEN": "xoxb-test"},
        say=lambda _: None,
        budget=Budget(attempts=1, pace_s=0),
        base_url=slack.base_url,
    )
    covered = [Checked(target=ALERT.target, check=check) for check in well]
    announce(Observation(alerts=alerts, covered=covered), HEADLINE, desk)


def test_the_list_says_what_is_wrong_since_when_and_when_it_was_told(slack: SlackServer, tmp_path: Path) -> None:
    assert ask(slack, "list") == (0, "nothing was ever wrong, as far as the ledger knows")
    tell(slack, tmp_path, ALERT)
    tell(slack, tmp_path, ALERT)
    status, said = ask(slack, "list")
    assert status == 0
    assert said.startswith(f"{KEY}  failing  C3 ping @ shop/predictor (slack:debug-slackbot)\n")
    assert "2 times since 20" in said
    assert "; told 20" in said
    (row,) = json.loads(ask(slack, "list", "--format=json")[1])["conditions"]
    assert (row["key"], row["state"], row["times"]) == (ALERT.dedup_key, "failing", 2)


def test_resend_tells_what_could_not_be_told_and_nothing_twice(slack: SlackServer, tmp_path: Path) -> None:
    slack.inject(*[Fault(kind="status", status=503)] * 9)
    tell(slack, tmp_path, ALERT)
    assert "not told yet" in ask(slack, "list")[1]
    slack.clear()
    assert ask(slack, "resend") == (0, "alerts: 1 told or brought up to date, 0 not")
    assert ask(slack, "resend") == (0, "alerts: 0 told or brought up to date, 0 not")
    assert len(slack.posts) == 1


def test_resend_says_what_it_could_not_tell(slack: SlackServer, tmp_path: Path) -> None:
    for _ in range(2):
        slack.inject(Fault(kind="error", error="is_archived"))
        tell(slack, tmp_path, ALERT)
    slack.inject(Fault(kind="error", error="is_archived"))
    status, said = ask(slack, "resend")
    assert status == 1
    assert "is_archived; unarchive the channel" in said


def test_a_silenced_alert_is_not_told_until_the_silence_ends(slack: SlackServer, tmp_path: Path) -> None:
    slack.inject(Fault(kind="status", status=503))
    tell(slack, tmp_path, ALERT)
    status, said = ask(slack, "silence", KEY, "--for", "2h")
    assert status == 0
    assert said.startswith(f"{KEY} is silenced until 20")
    tell(slack, tmp_path, ALERT)
    assert slack.posts == []
    assert ", silenced until 20" in ask(slack, "list")[1]


@pytest.mark.parametrize("words", [["silence", "beef", "--for=2h"], ["list", "--sut-profile=nowhere.toml"]])
def test_what_cannot_be_done_is_one_sentence(slack: SlackServer, words: list[str]) -> None:
    status, said = ask(slack, *words)
    assert status == 4
    assert said.startswith("harness: ")


@pytest.mark.parametrize("duration", ["2", "h", "0h", "2w", "-1h"])
def test_a_duration_is_a_number_and_a_unit(duration: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["alerts", "silence", "beef", f"--for={duration}"])
    assert ended.value.code == 4
    assert "write it as 90s, 30m, 2h or 1d" in capsys.readouterr().err


def test_the_test_goes_the_whole_way_and_leaves_no_trace_in_the_ledger(slack: SlackServer) -> None:
    status, said = ask(slack, "test")
    assert status == 0
    assert said.count("ok: ") == 4
    assert (len(slack.posts), len(slack.lines)) == (1, 1)
    assert slack.posts[0]["text"].startswith("RECOVERED: harness alerts test")
    assert ask(slack, "list")[1] == "nothing was ever wrong, as far as the ledger knows"


def test_the_test_says_what_a_bot_may_not_do(monkeypatch: pytest.MonkeyPatch, slack: SlackServer) -> None:
    del slack
    with SlackServer(scopes=frozenset({"chat:write"})) as server:
        status, said = ask(server, "test")
    assert status == 1
    assert "the history cannot be read (conversations.history: missing_scope)" in said
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-wrong")
    with SlackServer() as server:
        assert "invalid_auth; set SLACK_BOT_TOKEN" in ask(server, "test")[1]


def test_the_test_of_a_webhook_says_what_it_cannot_do(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    monkeypatch.setenv("SLACK_WEBHOOK_URL", slack.webhook_url)
    status, said = ask(slack, "test")
    assert status == 0
    assert "a webhook can do no more" in said
    assert len(slack.posts) == 1


def test_without_a_token_the_test_shows_the_message(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    status, said = ask(slack, "test")
    assert status == 0
    assert "  TEST: harness alerts test\n" in said
    assert slack.calls == []
