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

from harness.alerts import Alert, Announcement, Headline, Mode, announce
from harness.alerts.delivery import Budget, retry_after_s
from harness.alerts.ledger import LEASE_S, WINDOW_S
from harness.alerts.slack_server import Channel, Fault, FaultKind, SlackServer, mentions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALERT = Alert(target="shop/predictor", rule="C3", check="a", must="GET /ping MUST be 200.", evidence="got 500")
HEADLINE = Headline(verdict="FAILED", target="shop/predictor", profile="default", duration_s=92.0)
BUDGET = Budget(total_s=4.0, request_s=0.4, settle_s=0.05, backoff_s=0.005)
SCOPES = frozenset({"chat:write", "channels:read", "channels:history"})
DROPPED = Fault(kind="drop after accept")


@dataclass(slots=True)
class Desk:
    """Where runs are announced from: one ledger, one clock, one server."""

    ledger: Path
    slack: SlackServer | None
    clock_s: float = field(default_factory=time.time)
    said: list[str] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=lambda: {"SLACK_BOT_TOKEN": "xoxb-test", "HOME": "/home/al"})
    budget: Budget = BUDGET

    def run(self, *alerts: Alert, mode: Mode = "auto", base_url: str | None = None) -> Announcement:
        """Announce one run's alerts, by default one."""
        return announce(
            alerts or [ALERT],
            headline=HEADLINE,
            mode=mode,
            environ=self.environ,
            ledger_path=self.ledger,
            say=self.said.append,
            now=lambda: self.clock_s,
            base_url=base_url or (self.slack.base_url if self.slack else "http://127.0.0.1:1/api/"),
            budget=self.budget,
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
def desk(tmp_path: Path, slack: SlackServer) -> Desk:
    return Desk(ledger=tmp_path / "ledger.sqlite3", slack=slack)


def test_a_run_is_one_message_to_the_default_channel(desk: Desk, slack: SlackServer) -> None:
    announced = desk.run(*(replace(ALERT, check=str(check), rule=f"C{check % 3}") for check in range(9)))
    assert (announced.outcome, announced.told, announced.suppressed) == ("sent", 9, 0)
    (post,) = slack.posts
    assert post["channel"] == "C0000000001"
    assert "FAILED: shop/predictor" in post["text"]
    assert slack.calls == ["chat.postMessage"]


@pytest.mark.parametrize("name", ["ops-alerts", "#ops-alerts", " ops-alerts ", "C0OPS0000"])
def test_the_channel_is_the_one_that_the_environment_names(tmp_path: Path, name: str) -> None:
    with SlackServer(Channel(id="C0OPS0000", name="ops-alerts")) as server:
        desk = Desk(ledger=tmp_path / "l", slack=server)
        desk.environ["OPS_NOTIFICATIONS_SLACK_CHANNEL"] = name
        assert desk.run().outcome == "sent"
        assert len(server.posts) == 1


def test_a_known_failure_is_counted_and_a_new_one_told(desk: Desk, slack: SlackServer) -> None:
    desk.run(ALERT, replace(ALERT, check="b"))
    announced = desk.run(ALERT, replace(ALERT, check="b"), replace(ALERT, check="c", evidence="new"))
    assert (announced.outcome, announced.told, announced.suppressed) == ("sent", 1, 2)
    told = str(slack.posts[1]["blocks"])
    assert "2 known failures, told within 24 h, not repeated" in told
    assert "`c`" in told
    assert "`b`" not in told


def test_nothing_new_is_no_message_and_one_line(desk: Desk, slack: SlackServer) -> None:
    desk.run()
    desk.said.clear()
    announced = desk.run(replace(ALERT, evidence="got 503 this time"))
    assert (announced.outcome, announced.suppressed) == ("nothing new", 1)
    assert desk.said == ["alerts: nothing new to tell; 1 known failure, told within 24 h, not repeated"]
    assert len(slack.posts) == 1


@pytest.mark.parametrize(("age_s", "posts"), [(WINDOW_S - 1, 1), (WINDOW_S, 2)])
def test_after_24_hours_it_is_told_again(desk: Desk, slack: SlackServer, age_s: float, posts: int) -> None:
    desk.run()
    desk.clock_s += age_s
    desk.run()
    assert len(slack.posts) == posts


def test_without_a_token_the_message_is_shown_and_a_later_run_with_one_sends(desk: Desk, slack: SlackServer) -> None:
    token = desk.environ.pop("SLACK_BOT_TOKEN")
    assert [desk.run().outcome, desk.run().outcome] == ["printed", "nothing new"]
    assert "this would have been sent to #debug-slackbot:\n  FAILED: shop/predictor" in desk.heard
    assert slack.calls == []
    desk.environ["SLACK_BOT_TOKEN"] = token
    assert desk.run().outcome == "sent"


def test_off_and_console_leave_slack_alone_and_no_failures_are_no_news(desk: Desk, slack: SlackServer) -> None:
    assert desk.run(mode="off").outcome == "off"
    assert desk.said == []
    assert desk.run(mode="console").outcome == "printed"
    silent = announce([], headline=HEADLINE, mode="auto", environ={}, ledger_path=desk.ledger, say=desk.said.append)
    assert silent.outcome == "nothing new"
    assert slack.calls == []


def test_what_a_container_says_pings_nobody(desk: Desk, slack: SlackServer) -> None:
    desk.run(replace(ALERT, evidence="<!channel> <@U1> `<!here>`", check="<!everyone>"))
    assert mentions(slack.posts[0]) == []
    assert "&lt;!channel&gt;" in str(slack.posts[0])


@pytest.mark.parametrize("retry_after", ["0", "0.1", "date"])
def test_being_throttled_is_waited_out(desk: Desk, slack: SlackServer, retry_after: str) -> None:
    header = formatdate(time.time(), usegmt=True) if retry_after == "date" else retry_after
    slack.inject(*[Fault(kind="status", status=429, retry_after=header)] * 2)
    assert desk.run().outcome == "sent"
    assert slack.calls == ["chat.postMessage"] * 3


def test_a_wait_beyond_the_time_box_is_not_begun(desk: Desk, slack: SlackServer) -> None:
    slack.inject(Fault(kind="status", status=429, retry_after="30"))
    began = time.monotonic()
    announced = desk.run()
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
def test_a_servers_error_is_tried_again(desk: Desk, slack: SlackServer, status: int) -> None:
    slack.inject(*[Fault(kind="status", status=status)] * 2)
    assert desk.run().outcome == "sent"
    assert len(slack.posts) == 1


@pytest.mark.parametrize(
    "fault",
    [DROPPED, Fault(kind="drop before accept"), Fault(kind="hang after accept"), Fault(kind="hang")],
    ids=lambda fault: fault.kind,
)
def test_an_ambiguous_failure_ends_in_exactly_one_message(desk: Desk, slack: SlackServer, fault: Fault) -> None:
    slack.inject(fault)
    assert desk.run().outcome == "sent"
    assert len(slack.posts) == 1
    assert desk.run().outcome == "nothing new"


def test_a_message_is_found_behind_pages_of_others(tmp_path: Path) -> None:
    channels = [Channel(id=f"C00000{n:04d}", name=f"c{n}") for n in range(7)]
    with SlackServer(*channels, Channel(id="C0OPS0000", name="debug-slackbot", private=True), page=2) as server:
        desk = Desk(ledger=tmp_path / "l", slack=server)
        server.inject(DROPPED)
        assert desk.run().outcome == "sent"
        assert len(server.posts) == 1
        assert server.calls.count("conversations.list") == 4


def test_a_history_that_may_not_be_read_counts_as_sent_and_says_so(tmp_path: Path) -> None:
    with SlackServer(scopes=SCOPES - {"channels:history"}) as server:
        desk = Desk(ledger=tmp_path / "l", slack=server)
        server.inject(DROPPED)
        announced = desk.run()
        assert announced.outcome == "sent"
        assert "missing_scope): counted as sent" in announced.detail
        assert (len(server.posts), desk.run().outcome) == (1, "nothing new")


@pytest.mark.parametrize(("kind", "outcome"), [("drop after accept", "nothing new"), ("drop before accept", "sent")])
def test_a_history_that_fails_for_now_is_read_by_the_next_run(
    desk: Desk, slack: SlackServer, kind: FaultKind, outcome: str
) -> None:
    slack.inject(Fault(kind=kind))
    slack.inject(*[Fault(kind="status", status=503)] * 9, method="conversations.list")
    announced = desk.run()
    assert announced.outcome == "failed"
    assert "looked up before the next message" in announced.detail
    assert desk.run().outcome == "nothing new"
    assert "its failures wait until it can be seen" in desk.heard
    slack.clear()
    assert desk.run().outcome == outcome
    assert len(slack.posts) == 1


@pytest.mark.parametrize("fault", [Fault(kind="status", status=503), Fault(kind="error", error="fatal_error")])
def test_an_outage_raises_nothing_and_is_told_when_it_is_over(desk: Desk, slack: SlackServer, fault: Fault) -> None:
    slack.inject(*[fault] * 99)
    assert desk.run().outcome == "failed"
    assert "alerts: not told" in desk.heard
    slack.clear()
    assert desk.run().outcome == "sent"


def test_nobody_listening_is_an_outage_too(desk: Desk, slack: SlackServer) -> None:
    assert desk.run(base_url="http://127.0.0.1:1/api/").outcome == "failed"
    assert desk.run().outcome == "sent"
    assert len(slack.posts) == 1


def test_a_slack_that_always_hangs_costs_no_more_than_the_time_box(desk: Desk, slack: SlackServer) -> None:
    desk.budget = replace(BUDGET, total_s=0.5, request_s=0.2)
    for method in ("chat.postMessage", "conversations.list"):
        slack.inject(*[Fault(kind="hang")] * 9, method=method)
    began = time.monotonic()
    assert desk.run().outcome == "failed"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long", "metadata_too_large"])
def test_content_that_slack_refuses_is_sent_as_plain_text_once(desk: Desk, slack: SlackServer, error: str) -> None:
    slack.inject(Fault(kind="error", error=error))
    assert desk.run().outcome == "sent"
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
        desk = Desk(ledger=tmp_path / "l", slack=server)
        assert desk.run().outcome == "failed"
        assert len(desk.said) == 1
        assert found in desk.said[0]
        assert server.calls == ["chat.postMessage"]


@pytest.mark.parametrize(("status", "calls"), [(403, 1), (200, 3)])
def test_a_proxys_page_is_no_acceptance(desk: Desk, slack: SlackServer, status: int, calls: int) -> None:
    """An error status is final; with 200 nobody knows, and the channel is looked at before the next attempt."""
    slack.inject(Fault(kind="status", status=status, page="<html>Please log in</html>"))
    outcome = desk.run().outcome
    assert (outcome, len(slack.posts)) == (("failed", 0) if status == 403 else ("sent", 1))
    assert len(slack.calls) >= calls


def test_a_token_that_fits_no_header_is_an_invalid_one(desk: Desk, slack: SlackServer) -> None:
    desk.environ["SLACK_BOT_TOKEN"] = "xoxb-1\ncanary\u20ac"
    announced = desk.run()
    assert "invalid_auth; set SLACK_BOT_TOKEN" in announced.detail
    assert "canary" not in f"{announced}{desk.heard}"
    assert slack.calls == []


@pytest.mark.parametrize("fault", [None, DROPPED, Fault(kind="error", error="xoxb-1-canary")], ids=str)
def test_the_token_is_never_shown(
    tmp_path: Path, fault: Fault | None, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = "xoxb-1-canary"
    with SlackServer(token=canary) as server:
        desk = Desk(ledger=tmp_path / canary / "l", slack=server, environ={"SLACK_BOT_TOKEN": canary})
        if fault:
            server.inject(fault)
        announced = desk.run(replace(ALERT, evidence="Bearer xoxb-1-canary", check="xoxb-1-canary"))
        shown = [announced, desk.heard, caplog.text, *capfd.readouterr(), server.posts, desk.ledger.read_bytes()]
    assert "canary" not in str(shown)


def test_a_ledger_that_cannot_be_written_warns_and_the_message_is_sent(desk: Desk, slack: SlackServer) -> None:
    desk.ledger.write_text("a file where a folder should be")
    desk.ledger = desk.ledger / "ledger.sqlite3"
    assert desk.run().outcome == "sent"
    assert "make its folder writable" in desk.heard
    assert len(slack.posts) == 1


def test_a_corrupt_ledger_is_begun_anew(desk: Desk, slack: SlackServer) -> None:
    desk.run()
    desk.ledger.write_bytes(b"\xff" * 8_192)
    assert [desk.run().outcome, desk.run().outcome] == ["sent", "nothing new"]
    assert "is moved to" in desk.heard
    assert len(slack.posts) == 2


def test_whatever_else_breaks_is_an_outcome_too(desk: Desk, slack: SlackServer) -> None:
    def gone(_: str) -> None:
        msg = "the terminal went away with xoxb-test"
        raise OSError(msg)

    broken = announce(
        [ALERT], headline=HEADLINE, mode="console", environ=desk.environ, ledger_path=desk.ledger, say=gone
    )
    assert broken.outcome == "failed"
    assert "the terminal went away with [token]" in broken.detail
    assert slack.calls == []


_RUN = """
import sys, time
from pathlib import Path
from harness.alerts import Alert, Headline, announce
alert = Alert(target="shop/predictor", rule="C3", check="a", must="It MUST.", evidence="no")
headline = Headline(verdict="FAILED", target="shop/predictor", profile="default", duration_s=1.0)
environ = {"SLACK_BOT_TOKEN": "xoxb-test"}
print(announce([alert], headline=headline, mode="auto", environ=environ, ledger_path=Path(sys.argv[1]),
               say=lambda line: None, base_url=sys.argv[2]).outcome)
"""


def start(desk: Desk, slack: SlackServer) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _RUN, str(desk.ledger), slack.base_url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_runs_that_end_together_tell_once(desk: Desk, slack: SlackServer) -> None:
    outcomes = [run.communicate(timeout=30)[0].strip() for run in [start(desk, slack) for _ in range(2)]]
    assert sorted(outcomes) == ["nothing new", "sent"]
    assert len(slack.posts) == 1


@pytest.mark.parametrize(("kind", "posts_before"), [("hang after accept", 1), ("hang", 0)])
def test_a_run_killed_while_it_posts_is_settled_by_the_next(
    desk: Desk, slack: SlackServer, kind: FaultKind, posts_before: int
) -> None:
    slack.inject(Fault(kind=kind))
    run = start(desk, slack)
    while not slack.calls:
        time.sleep(0.01)
    time.sleep(0.1)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert len(slack.posts) == posts_before
    assert desk.run().outcome == "nothing new"  # its lease still runs
    desk.clock_s += LEASE_S + 1
    assert desk.run().outcome == ("nothing new" if posts_before else "sent")
    assert len(slack.posts) == 1


def test_slack_sdk_is_imported_only_to_call_slack() -> None:
    code = "import sys, harness.alerts; sys.exit('slack_sdk' in sys.modules or 'requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
