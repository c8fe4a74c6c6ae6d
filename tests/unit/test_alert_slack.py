"""A run's failures reach Slack once, whatever Slack, the network and the ledger do, and no verdict depends on it."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from harness.alerts import Alert, Announcement, Checked, Desk, Headline, Mode, Observation, announce
from harness.alerts.outbox import LEASE_S, WINDOW_S
from harness.alerts.retry import Budget, retry_after_s
from harness.alerts.slack_server import UPDATE, WEBHOOK, Channel, Fault, FaultKind, SlackServer, mentions
from harness.contract.profile import Alerts
from harness.system.waiting import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ALERT = Alert(target="shop/predictor", rule="C3", check="a", must="GET /ping MUST be 200.", evidence="got 500")
HEADLINE = Headline(verdict="FAILED", target="shop/predictor", profile="default", duration_s=92.0)
BUDGET = Budget(total_s=4.0, request_s=0.4, settle_s=0.05, backoff_s=0.005, pace_s=0)
SCOPES = frozenset({"chat:write", "channels:read", "channels:history"})
DROPPED = Fault(kind="drop after accept")


class Clock(VirtualClock):
    """The wall clock, set to another moment: its sleeps are real."""

    def monotonic(self) -> float:
        """Return the machine's."""
        return time.monotonic()

    def sleep(self, duration_s: float) -> None:
        """Sleep in truth."""
        time.sleep(max(0.0, duration_s))
        self.forward(duration_s)

    def forward(self, duration_s: float) -> None:
        """Let time pass without a wait."""
        super().sleep(duration_s)


@dataclass(slots=True)
class Runs:
    """Runs that are told from one desk: one ledger, one clock, one server."""

    ledger: Path
    slack: SlackServer | None
    clock: Clock = field(default_factory=lambda: Clock(time.time()))
    said: list[str] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=lambda: {"SLACK_BOT_TOKEN": "xoxb-test", "HOME": "/home/al"})
    budget: Budget = BUDGET

    def run(
        self, *alerts: Alert, mode: Mode = "auto", base_url: str | None = None, well: Sequence[str] = ()
    ) -> Announcement:
        """Announce one run's alerts, by default one; `well` are the checks that passed."""
        covered = [Checked(target=ALERT.target, check=check) for check in well]
        seen = Observation(alerts=alerts or ([] if well else [ALERT]), covered=covered)
        return announce(seen, HEADLINE, self.desk(mode, base_url))

    def desk(self, mode: Mode = "auto", base_url: str | None = None) -> Desk:
        """Return the desk."""
        return Desk(
            ledger_path=self.ledger,
            environ={"TMPDIR": str(self.ledger.parent / "tmp"), **self.environ},
            say=self.said.append,
            mode=mode,
            clock=self.clock,
            budget=self.budget,
            base_url=base_url or (self.slack.base_url if self.slack else "http://127.0.0.1:1/api/"),
        )

    @property
    def heard(self) -> str:
        """All that the terminal showed."""
        return "\n".join(self.said)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


@pytest.fixture
def runs(tmp_path: Path, slack: SlackServer) -> Runs:
    return Runs(ledger=tmp_path / "ledger.sqlite3", slack=slack)


def test_a_run_is_one_message_to_the_default_channel(runs: Runs, slack: SlackServer) -> None:
    announced = runs.run(*(replace(ALERT, check=str(check), rule=f"C{check % 3}") for check in range(9)))
    assert (announced.outcome, announced.told, announced.suppressed) == ("sent", 9, 0)
    (post,) = slack.posts
    assert post["channel"] == "C0000000001"
    assert "FAILED: shop/predictor" in post["text"]
    assert slack.calls == ["chat.postMessage"]


@pytest.mark.parametrize("name", ["ops-alerts", "#ops-alerts", " ops-alerts ", "C0OPS0000"])
def test_the_channel_is_the_one_that_the_environment_names(tmp_path: Path, name: str) -> None:
    with SlackServer(Channel(id="C0OPS0000", name="ops-alerts")) as server:
        runs = Runs(ledger=tmp_path / "l", slack=server)
        runs.environ["OPS_NOTIFICATIONS_SLACK_CHANNEL"] = name
        assert runs.run().outcome == "sent"
        assert len(server.posts) == 1


def test_a_known_failure_is_counted_and_a_new_one_told(runs: Runs, slack: SlackServer) -> None:
    runs.run(ALERT, replace(ALERT, check="b"))
    announced = runs.run(ALERT, replace(ALERT, check="b"), replace(ALERT, check="c", evidence="new"))
    assert (announced.outcome, announced.told, announced.suppressed) == ("sent", 1, 2)
    told = str(slack.posts[1]["blocks"])
    assert "2 known failures, told before, not repeated" in told
    assert "`c`" in told
    assert "`b`" not in told


def test_nothing_new_is_no_message_and_one_line(runs: Runs, slack: SlackServer) -> None:
    runs.run()
    runs.said.clear()
    announced = runs.run(replace(ALERT, evidence="got 503 this time"))
    assert (announced.outcome, announced.suppressed) == ("nothing new", 1)
    assert runs.said == ["alerts: nothing new to tell; 1 known failure, told before, not repeated"]
    assert len(slack.posts) == 1


@pytest.mark.parametrize(("age_s", "posts"), [(WINDOW_S - 1, 1), (WINDOW_S, 2)])
def test_after_24_hours_it_is_told_again(runs: Runs, slack: SlackServer, age_s: float, posts: int) -> None:
    runs.run()
    runs.clock.forward(age_s)
    runs.run()
    assert len(slack.posts) == posts


def test_without_a_token_the_message_is_shown_and_a_later_run_with_one_sends(runs: Runs, slack: SlackServer) -> None:
    token = runs.environ.pop("SLACK_BOT_TOKEN")
    assert [runs.run().outcome, runs.run().outcome] == ["printed", "nothing new"]
    assert "this would have been sent to #debug-slackbot:\n  FAILED: shop/predictor" in runs.heard
    assert slack.calls == []
    runs.environ["SLACK_BOT_TOKEN"] = token
    assert runs.run().outcome == "sent"


def test_off_and_console_leave_slack_alone_and_no_failures_are_no_news(runs: Runs, slack: SlackServer) -> None:
    assert runs.run(mode="off").outcome == "off"
    assert runs.said == []
    assert runs.run(mode="console").outcome == "printed"
    assert slack.calls == []


def test_a_run_without_failures_is_no_news_and_makes_no_ledger(runs: Runs, slack: SlackServer) -> None:
    assert runs.run(well=["a"]).outcome == "nothing new"
    assert (runs.said, slack.calls, runs.ledger.exists()) == ([], [], False)


def forward_and_run(runs: Runs, *alerts: Alert, well: Sequence[str] = (), after_s: float = 300) -> Announcement:
    runs.clock.forward(after_s)
    return runs.run(*alerts, well=well)


def test_what_still_fails_is_said_in_the_message_that_told_of_it(runs: Runs, slack: SlackServer) -> None:
    runs.run()
    for times in (2, 3):
        forward_and_run(runs, replace(ALERT, evidence=f"got 50{times}"))
        (post,) = slack.posts
        assert f"still failing, {times} times since 20" in str(post["blocks"])
        assert f"got 50{times}" in post["text"]
    assert slack.calls == ["chat.postMessage", UPDATE, UPDATE]
    assert slack.lines == []


def test_a_recovery_is_told_once_in_place_and_by_one_line_in_the_thread(runs: Runs, slack: SlackServer) -> None:
    runs.run(ALERT, replace(ALERT, check="b"))
    assert forward_and_run(runs, replace(ALERT, check="b"), well=["a"]).recovered == 1
    (post,) = slack.posts
    (line,) = slack.lines
    assert post["text"].startswith("FAILED: shop/predictor\n1 failure · 1 recovered")
    assert (line["thread_ts"], line["text"]) == (post["ts"], "Well again: a (C3), failed for 5 min, seen 1 time")
    forward_and_run(runs, well=["a", "b"], after_s=11_220)
    assert slack.posts[0]["text"].startswith("RECOVERED: shop/predictor\n2 recovered")
    assert slack.lines[1]["text"] == "Well again: b (C3), failed for 3 h 12 min, seen 2 times"
    calls = len(slack.calls)
    forward_and_run(runs, well=["a", "b"])
    assert len(slack.calls) == calls


def test_what_fails_again_within_the_window_reopens_its_message_and_no_more(runs: Runs, slack: SlackServer) -> None:
    runs.run()
    for _ in range(3):
        forward_and_run(runs, well=["a"])
        assert slack.posts[0]["text"].startswith("RECOVERED")
        assert forward_and_run(runs, ALERT).outcome == "nothing new"
        assert slack.posts[0]["text"].startswith("FAILED")
    assert (len(slack.posts), len(slack.lines)) == (1, 1)


def test_what_is_told_again_after_the_window_leaves_a_pointer_in_the_old_message(
    runs: Runs, slack: SlackServer
) -> None:
    runs.run()
    forward_and_run(runs, ALERT, after_s=WINDOW_S)
    forward_and_run(runs, well=["a"])
    old, new = (post["text"] for post in slack.posts)
    assert "told anew since, in a later message" in old
    assert new.startswith("RECOVERED")
    assert [line["thread_ts"] for line in slack.lines] == [slack.posts[1]["ts"]]


def test_the_message_of_a_run_says_what_is_known_and_what_recovered(runs: Runs, slack: SlackServer) -> None:
    runs.run(ALERT, replace(ALERT, check="b"))
    forward_and_run(runs, replace(ALERT, check="b"), replace(ALERT, check="c"), well=["a"])
    text = slack.posts[1]["text"]
    assert "1 new failure" in text
    assert "1 known failure, told before, not repeated" in text
    assert "recovered since the last run: C3 a" in text


@pytest.mark.parametrize("fault", [Fault(kind="status", status=503), Fault(kind="hang")], ids=lambda fault: fault.kind)
def test_an_update_and_a_recovery_that_slack_missed_are_told_by_the_next_run(
    runs: Runs, slack: SlackServer, fault: Fault
) -> None:
    runs.run()
    for method in (UPDATE, "chat.postMessage"):
        slack.inject(*[fault] * 99, method=method)
    runs.budget = replace(BUDGET, total_s=0.5, request_s=0.2)
    forward_and_run(runs, well=["a"])
    runs.budget = BUDGET
    assert "an earlier message could not be brought up to date" in runs.heard
    assert slack.lines == []
    slack.clear()
    runs.clock.forward(LEASE_S + 1)
    for _ in range(2):
        forward_and_run(runs, well=["a"])
        assert slack.posts[0]["text"].startswith("RECOVERED")
        assert len(slack.lines) == 1


def test_a_line_whose_answer_was_lost_is_found_in_the_thread(runs: Runs, slack: SlackServer) -> None:
    runs.run()
    slack.inject(DROPPED)
    forward_and_run(runs, well=["a"])
    assert len(slack.lines) == 1
    assert "conversations.replies" in slack.calls
    forward_and_run(runs, well=["a"])
    assert len(slack.lines) == 1


def test_a_message_that_somebody_deleted_is_left_alone(runs: Runs, slack: SlackServer) -> None:
    runs.run()
    slack.delete(slack.posts[0]["ts"])
    forward_and_run(runs, well=["a"])
    calls = len(slack.calls)
    forward_and_run(runs, well=["a"])
    assert (slack.posts, slack.lines, len(slack.calls)) == ([], [], calls)


def test_what_was_well_again_before_slack_could_be_reached_is_told_as_such(runs: Runs, slack: SlackServer) -> None:
    slack.inject(*[Fault(kind="status", status=503)] * 99)
    runs.run()
    slack.clear()
    forward_and_run(runs, well=["a"], after_s=11_520)
    (post,) = slack.posts
    assert post["text"].startswith("RECOVERED: shop/predictor")
    assert "failed for 3 h 12 min" in post["text"]
    forward_and_run(runs, well=["a"])
    assert slack.lines == []


def test_an_outage_of_hours_ends_in_one_digest(runs: Runs, slack: SlackServer) -> None:
    slack.inject(*[Fault(kind="status", status=503)] * 99)
    runs.budget = replace(BUDGET, attempts=1)
    for run in range(12):
        seen = Observation(alerts=[replace(ALERT, check=str(run))])
        announce(seen, replace(HEADLINE, at=1.0 + run), runs.desk())
        runs.clock.forward(300)
    slack.clear()
    forward_and_run(runs, well=["x"])
    (post,) = slack.posts
    assert "12 new failures" in post["text"]
    assert "h 5 min late" in str(post["blocks"])


def test_messages_to_a_channel_are_a_second_apart(tmp_path: Path) -> None:
    """The server allows one a second, as Slack does: a courier that keeps that is never refused."""
    with SlackServer(rate_per_s=1.0) as server:
        runs = Runs(ledger=tmp_path / "l", slack=server, budget=replace(BUDGET, pace_s=1.0, total_s=20.0))
        seen = Observation(alerts=[replace(ALERT, check=str(place)) for place in range(4)])
        began = time.monotonic()
        told = announce(seen, Headline(verdict="FAILED", target="x", profile="p"), runs.desk())
        assert (told.told, len(server.posts), len(server.calls)) == (4, 4, 4)
        assert time.monotonic() - began >= 3


def test_what_does_not_fit_into_the_time_box_is_left_for_the_next_run(runs: Runs, slack: SlackServer) -> None:
    runs.budget = replace(BUDGET, pace_s=1.0, total_s=0.5)
    seen = Observation(alerts=[replace(ALERT, check=str(place)) for place in range(3)])
    watch = Headline(verdict="FAILED", target="x", profile="p")
    assert announce(seen, watch, runs.desk()).told == 1
    runs.budget = BUDGET
    assert forward_and_run(runs, well=["x"]).told == 2
    assert len(slack.posts) == 3


def test_the_profile_names_the_channel_and_the_environment_another(tmp_path: Path) -> None:
    with SlackServer(Channel(id="C1", name="ops"), Channel(id="C2", name="other")) as server:
        runs = Runs(ledger=tmp_path / "l", slack=server)
        desk = replace(runs.desk(), settings=Alerts(channel="#ops"))
        announce(Observation(alerts=[ALERT]), HEADLINE, desk)
        named = replace(desk, environ={**desk.environ, "OPS_NOTIFICATIONS_SLACK_CHANNEL": "other"})
        announce(Observation(alerts=[ALERT]), HEADLINE, named)
        assert [post["channel"] for post in server.posts] == ["C1", "C2"]


@pytest.fixture
def hooked(tmp_path: Path, slack: SlackServer) -> Runs:
    environ = {"SLACK_WEBHOOK_URL": slack.webhook_url, "HOME": "/home/al"}
    return Runs(ledger=tmp_path / "ledger.sqlite3", slack=slack, environ=environ)


def test_a_webhook_tells_once_and_changes_nothing(hooked: Runs, slack: SlackServer) -> None:
    assert hooked.run().outcome == "sent"
    assert forward_and_run(hooked, ALERT).outcome == "nothing new"
    assert forward_and_run(hooked, well=["a"]).recovered == 1
    assert slack.calls == [WEBHOOK]
    assert "FAILED: shop/predictor" in slack.posts[0]["text"]
    assert "metadata" not in slack.posts[0]


@pytest.mark.parametrize(
    ("fault", "posts"),
    [
        (Fault(kind="status", status=429, retry_after="0.1"), 1),
        (Fault(kind="status", status=502), 1),
        (DROPPED, 1),
        (Fault(kind="hang after accept"), 1),
        (Fault(kind="drop before accept"), 0),
    ],
    ids=["429", "502", "dropped after", "hangs after", "dropped before"],
)
def test_a_webhook_that_may_have_posted_never_posts_twice(
    hooked: Runs, slack: SlackServer, fault: Fault, posts: int
) -> None:
    """Its channel cannot be read: where nobody knows, it counts as told, and the terminal says so."""
    slack.inject(fault, method=WEBHOOK)
    assert hooked.run().outcome == "sent"
    assert len(slack.posts) == posts
    assert ("counted as sent" in hooked.heard) == (fault.kind != "status")
    assert hooked.run().outcome == "nothing new"


def test_a_webhook_that_was_removed_is_one_clear_line(hooked: Runs, slack: SlackServer) -> None:
    hooked.environ["SLACK_WEBHOOK_URL"] = slack.webhook_url + "gone"
    assert hooked.run().outcome == "failed"
    assert "no_service; the webhook was removed" in hooked.heard


@pytest.mark.parametrize(
    "address", ["{hook}/canary-of-a-hook", "no address: canary-of-a-hook", "http://[canary-of-a-hook"]
)
def test_the_address_of_a_webhook_is_never_shown(hooked: Runs, slack: SlackServer, address: str) -> None:
    hooked.environ["SLACK_WEBHOOK_URL"] = address.format(hook=slack.webhook_url)
    announced = hooked.run(replace(ALERT, evidence=hooked.environ["SLACK_WEBHOOK_URL"]))
    shown = [announced, hooked.heard, hooked.ledger.read_bytes(), hooked.desk()]
    assert announced.outcome == "failed"
    assert "canary" not in str(shown)


def test_what_a_container_says_pings_nobody(runs: Runs, slack: SlackServer) -> None:
    runs.run(replace(ALERT, evidence="<!channel> <@U1> `<!here>`", check="<!everyone>"))
    assert mentions(slack.posts[0]) == []
    assert "&lt;!channel&gt;" in str(slack.posts[0])


@pytest.mark.parametrize("retry_after", ["0", "0.1", "date"])
def test_being_throttled_is_waited_out(runs: Runs, slack: SlackServer, retry_after: str) -> None:
    header = formatdate(time.time(), usegmt=True) if retry_after == "date" else retry_after
    slack.inject(*[Fault(kind="status", status=429, retry_after=header)] * 2)
    assert runs.run().outcome == "sent"
    assert slack.calls == ["chat.postMessage"] * 3


def test_a_wait_beyond_the_time_box_is_not_begun(runs: Runs, slack: SlackServer) -> None:
    slack.inject(Fault(kind="status", status=429, retry_after="30"))
    began = time.monotonic()
    announced = runs.run()
    assert time.monotonic() - began < 1
    assert announced.outcome == "failed"
    assert "Slack asks to wait 30" in announced.detail


@pytest.mark.parametrize(
    ("header", "pause_s"),
    [("3", 3), ("0.5", 0.5), (formatdate(1_000_007, usegmt=True), 7), ("-4", 0), ("soon", None), ("nan", None)],
)
def test_retry_after_is_a_number_or_a_date(header: str, pause_s: float | None) -> None:
    assert retry_after_s(header, 1_000_000.0) == pause_s


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_servers_error_is_tried_again(runs: Runs, slack: SlackServer, status: int) -> None:
    slack.inject(*[Fault(kind="status", status=status)] * 2)
    assert runs.run().outcome == "sent"
    assert len(slack.posts) == 1


@pytest.mark.parametrize(
    "fault",
    [DROPPED, Fault(kind="drop before accept"), Fault(kind="hang after accept"), Fault(kind="hang")],
    ids=lambda fault: fault.kind,
)
def test_an_ambiguous_failure_ends_in_exactly_one_message(runs: Runs, slack: SlackServer, fault: Fault) -> None:
    slack.inject(fault)
    assert runs.run().outcome == "sent"
    assert len(slack.posts) == 1
    assert runs.run().outcome == "nothing new"


def test_a_message_is_found_behind_pages_of_others(tmp_path: Path) -> None:
    channels = [Channel(id=f"C00000{n:04d}", name=f"c{n}") for n in range(7)]
    with SlackServer(*channels, Channel(id="C0OPS0000", name="debug-slackbot", private=True), page=2) as server:
        runs = Runs(ledger=tmp_path / "l", slack=server)
        server.inject(DROPPED)
        assert runs.run().outcome == "sent"
        assert len(server.posts) == 1
        assert server.calls.count("conversations.list") == 4


def test_a_history_that_may_not_be_read_counts_as_sent_and_says_so(tmp_path: Path) -> None:
    with SlackServer(scopes=SCOPES - {"channels:history"}) as server:
        runs = Runs(ledger=tmp_path / "l", slack=server)
        server.inject(DROPPED)
        announced = runs.run()
        assert announced.outcome == "sent"
        assert "missing_scope): counted as sent" in announced.detail
        assert (len(server.posts), runs.run().outcome) == (1, "nothing new")


@pytest.mark.parametrize(("kind", "outcome"), [("drop after accept", "nothing new"), ("drop before accept", "sent")])
def test_a_history_that_fails_for_now_is_read_by_the_next_run(
    runs: Runs, slack: SlackServer, kind: FaultKind, outcome: str
) -> None:
    slack.inject(Fault(kind=kind))
    slack.inject(*[Fault(kind="status", status=503)] * 9, method="conversations.list")
    announced = runs.run()
    assert announced.outcome == "failed"
    assert "looked up before the next message" in announced.detail
    assert runs.run().outcome == "nothing new"
    assert "it waits until it can be seen" in runs.heard
    slack.clear()
    assert runs.run().outcome == outcome
    assert len(slack.posts) == 1


@pytest.mark.parametrize("fault", [Fault(kind="status", status=503), Fault(kind="error", error="fatal_error")])
def test_an_outage_raises_nothing_and_is_told_when_it_is_over(runs: Runs, slack: SlackServer, fault: Fault) -> None:
    slack.inject(*[fault] * 99)
    assert runs.run().outcome == "failed"
    assert "alerts: not told" in runs.heard
    slack.clear()
    assert runs.run().outcome == "sent"


def test_nobody_listening_is_an_outage_too(runs: Runs, slack: SlackServer) -> None:
    assert runs.run(base_url="http://127.0.0.1:1/api/").outcome == "failed"
    assert runs.run().outcome == "sent"
    assert len(slack.posts) == 1


def test_a_slack_that_always_hangs_costs_no_more_than_the_time_box(runs: Runs, slack: SlackServer) -> None:
    runs.budget = replace(BUDGET, total_s=0.5, request_s=0.2)
    for method in ("chat.postMessage", "conversations.list"):
        slack.inject(*[Fault(kind="hang")] * 9, method=method)
    began = time.monotonic()
    assert runs.run().outcome == "failed"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long", "metadata_too_large"])
def test_content_that_slack_refuses_is_sent_as_plain_text_once(runs: Runs, slack: SlackServer, error: str) -> None:
    slack.inject(Fault(kind="error", error=error))
    assert runs.run().outcome == "sent"
    (post,) = slack.posts
    assert "blocks" not in post
    assert "GET /ping MUST be 200." in post["text"]


@pytest.mark.parametrize(
    ("channel", "token", "found"),
    [
        (Channel(id="C1", name="other"), "xoxb-test", "channel_not_found; name another in OPS_NOTIF"),
        (Channel(id="C1", name="debug-slackbot", member=False), "xoxb-test", "not_in_channel; invite the bot"),
        (Channel(id="C1", name="debug-slackbot", archived=True), "xoxb-test", "is_archived; unarchive"),
        (Channel(id="C1", name="debug-slackbot"), "xoxb-other", "invalid_auth; set SLACK_BOT_TOKEN"),
    ],
)
def test_a_wrong_set_up_is_one_clear_line_with_a_way_out(
    tmp_path: Path, channel: Channel, token: str, found: str
) -> None:
    with SlackServer(channel, token=token) as server:
        runs = Runs(ledger=tmp_path / "l", slack=server)
        assert runs.run().outcome == "failed"
        assert len(runs.said) == 1
        assert found in runs.said[0]
        assert server.calls == ["chat.postMessage"]


@pytest.mark.parametrize(("status", "calls"), [(403, 1), (200, 3)])
def test_a_proxys_page_is_no_acceptance(runs: Runs, slack: SlackServer, status: int, calls: int) -> None:
    """An error status is final; with 200 nobody knows, and the channel is looked at before the next attempt."""
    slack.inject(Fault(kind="status", status=status, page="<html>Please log in</html>"))
    outcome = runs.run().outcome
    assert (outcome, len(slack.posts)) == (("failed", 0) if status == 403 else ("sent", 1))
    assert len(slack.calls) >= calls


def test_a_token_that_fits_no_header_is_an_invalid_one(runs: Runs, slack: SlackServer) -> None:
    runs.environ["SLACK_BOT_TOKEN"] = "xoxb-1\ncanary\u20ac"
    announced = runs.run()
    assert "invalid_auth; set SLACK_BOT_TOKEN" in announced.detail
    assert "canary" not in f"{announced}{runs.heard}"
    assert slack.calls == []


@pytest.mark.parametrize("fault", [None, DROPPED, Fault(kind="error", error="xoxb-1-canary")], ids=str)
def test_the_token_is_never_shown(
    tmp_path: Path, fault: Fault | None, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = "xoxb-1-canary"
    with SlackServer(token=canary) as server:
        runs = Runs(ledger=tmp_path / canary / "l", slack=server, environ={"SLACK_BOT_TOKEN": canary})
        if fault:
            server.inject(fault)
        announced = runs.run(replace(ALERT, evidence="Bearer xoxb-1-canary", check="xoxb-1-canary"))
        shown = [announced, runs.heard, caplog.text, *capfd.readouterr(), server.posts, runs.ledger.read_bytes()]
    assert "canary" not in str(shown)


def test_a_ledger_that_cannot_be_written_warns_and_the_message_is_sent(runs: Runs, slack: SlackServer) -> None:
    runs.ledger.write_text("a file where a folder should be")
    runs.ledger = runs.ledger / "ledger.sqlite3"
    assert runs.run().outcome == "sent"
    assert "make its folder writable" in runs.heard
    assert len(slack.posts) == 1


def test_a_corrupt_ledger_is_begun_anew(runs: Runs, slack: SlackServer) -> None:
    runs.run()
    runs.ledger.write_bytes(b"\xff" * 8_192)
    assert [runs.run().outcome, runs.run().outcome] == ["sent", "nothing new"]
    assert "is moved to" in runs.heard
    assert len(slack.posts) == 2


def test_whatever_else_breaks_is_an_outcome_too(runs: Runs, slack: SlackServer) -> None:
    def gone(_: str) -> None:
        msg = "the terminal went away with xoxb-test"
        raise OSError(msg)

    broken = announce(Observation(alerts=[ALERT]), HEADLINE, replace(runs.desk("console"), say=gone))
    assert broken.outcome == "failed"
    assert "the terminal went away with [token]" in broken.detail
    assert slack.calls == []


_RUN = """
import sys, time
from pathlib import Path
from harness.alerts import Alert, Desk, Headline, Observation, announce
alert = Alert(target="shop/predictor", rule="C3", check="a", must="It MUST.", evidence="no")
headline = Headline(verdict="FAILED", target="shop/predictor", profile="default", duration_s=1.0)
desk = Desk(ledger_path=Path(sys.argv[1]), environ={"SLACK_BOT_TOKEN": "xoxb-test"}, say=lambda line: None,
            base_url=sys.argv[2])
print(announce(Observation(alerts=[alert]), headline, desk).outcome)
"""


def start(runs: Runs, slack: SlackServer) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _RUN, str(runs.ledger), slack.base_url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_runs_that_end_together_tell_once(runs: Runs, slack: SlackServer) -> None:
    outcomes = [run.communicate(timeout=30)[0].strip() for run in [start(runs, slack) for _ in range(2)]]
    assert sorted(outcomes) == ["nothing new", "sent"]
    assert len(slack.posts) == 1


@pytest.mark.parametrize(("kind", "posts_before"), [("hang after accept", 1), ("hang", 0)])
def test_a_run_killed_while_it_posts_is_settled_by_the_next(
    runs: Runs, slack: SlackServer, kind: FaultKind, posts_before: int
) -> None:
    slack.inject(Fault(kind=kind))
    run = start(runs, slack)
    while not slack.calls:
        time.sleep(0.01)
    time.sleep(0.1)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert len(slack.posts) == posts_before
    assert runs.run().outcome == "nothing new"  # its lease still runs
    runs.clock.forward(LEASE_S + 1)
    assert runs.run().outcome == ("nothing new" if posts_before else "sent")
    assert len(slack.posts) == 1


def test_slack_sdk_is_imported_only_to_call_slack() -> None:
    code = "import sys, harness.alerts; sys.exit('slack_sdk' in sys.modules or 'requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
