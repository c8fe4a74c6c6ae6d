"""The watch over hours: told once, through restarts, outages of Slack and the endpoint, and runs that overlap."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.alerts import Desk
from harness.alerts.monitor import replay
from harness.alerts.monitor.look import Scene
from harness.alerts.monitor.replay import Market, Persistence, raised
from harness.alerts.monitor.sight import Subject
from harness.alerts.monitor.state import Overlapping, Shelf, State
from harness.alerts.monitor.watch import Watch
from harness.alerts.retry import Budget
from harness.alerts.slack_server import UPDATE, Fault, SlackServer
from harness.contract.profile import load_profile
from harness.contract.records import SECOND_NS, build, last_whole_second_ns, moment_ns, timestamp, to_csv
from harness.contract.series import generate
from harness.contract.verdict import Verdict
from harness.system.client import Exchange, NoAnswer, Request
from harness.system.waiting import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.alerts.monitor.feed import Feed
    from harness.contract.profile import Profile
    from harness.contract.records import Record, Window
    from harness.contract.series import Second
    from harness.system.client import Failure

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "harness.cli", "monitor")
PROFILE = load_profile()
FEW = replace(PROFILE, monitor=replace(PROFILE.monitor, predictions=3))
BEGIN = datetime(2026, 1, 15, 2, 30, tzinfo=UTC).timestamp()
AT_3 = 1_800  # seconds after the beginning
CALM = generate(seed=1, seconds=7_200, level=60_000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Down(Persistence):
    """An endpoint that nobody reaches."""

    def predict(self, window: Window, *, timeout_s: float | None = None) -> Exchange:
        """Refuse."""
        return self.ping(timeout_s=timeout_s or len(window.records))

    def ping(self, *, timeout_s: float | None = None) -> Exchange:
        """Refuse."""
        failure: Failure = "refused"
        raise NoAnswer(failure, Request(method="GET", path="/ping"), timeout_s or 0.0, "nobody")


@dataclass(slots=True)
class Night:
    """A service under watch, on a clock that jumps."""

    folder: Path
    slack: SlackServer
    clock: VirtualClock
    seconds: Sequence[Second] = field(default_factory=lambda: CALM)
    endpoint: Persistence = field(default_factory=lambda: Persistence(profile=PROFILE))
    feed: Feed | None = None
    said: list[str] = field(default_factory=list)
    profile: Profile = FEW

    def market(self) -> Market:
        """Return the feed."""
        return Market(rule=PROFILE.window, seconds=self.seconds, begin_s=round(BEGIN), clock=self.clock)

    def watch(self) -> Watch:
        """Return a watch as a new process would make it: it knows what lies on the disk."""
        desk = Desk(
            ledger_path=self.folder / "ledger.sqlite3",
            environ={"SLACK_BOT_TOKEN": "xoxb-test", "TMPDIR": str(self.folder)},
            say=self.said.append,
            settings=self.profile.alerts,
            clock=self.clock,
            budget=Budget(pace_s=0, settle_s=0, backoff_s=0.001, attempts=2),
            base_url=self.slack.base_url,
        )
        return Watch(
            scene=Scene(
                profile=self.profile,
                clock=self.clock,
                connect=lambda _: self.endpoint,
                url="http://price",
                feed=self.feed or self.market(),
            ),
            subject=Subject(target="http://price", variant="", row_keys=("target", "rule", "check")),
            desk=desk,
            shelf=Shelf(self.folder, "http://price"),
            say=self.said.append,
        )

    def pass_by(self, looks: int) -> list[Verdict]:
        """Look every five minutes, each time by a new process."""
        verdicts = []
        for _ in range(looks):
            due_s = self.clock.now() + 300
            verdicts.append(self.watch().once())
            self.clock.sleep(due_s - self.clock.now())
        return verdicts


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    clock = VirtualClock(BEGIN + 300)
    with SlackServer(now=clock.now) as slack:
        yield Night(tmp_path, slack, clock)


def told(night: Night) -> tuple[int, int]:
    return len(night.slack.posts), len(night.slack.lines)


def test_a_calm_night_is_quiet(night: Night) -> None:
    assert night.pass_by(12) == [Verdict.PASSED] * 12
    assert night.slack.calls == []


@pytest.mark.parametrize("seconds_after", [0, 1, 150, 295, 299])
def test_ten_thousand_dollars_up_at_three_are_one_alert_and_one_recovery(night: Night, seconds_after: int) -> None:
    """Wherever in the five minutes between two looks it falls."""
    night.seconds = raised(CALM, at=AT_3 + seconds_after, by=10_000.0)
    verdicts = night.pass_by(12)
    assert told(night) == (1, 1)
    assert Verdict.FAILED in verdicts
    assert verdicts[-1] == Verdict.PASSED
    assert night.slack.posts[0]["text"].startswith("RECOVERED: http://price")
    assert "level shift" in night.slack.posts[0]["text"]


@pytest.mark.parametrize("seconds_after", [150, 298])
@pytest.mark.parametrize("lasts_s", [1, 5, 40])
def test_a_spike_is_one_alert_too_and_called_one(night: Night, seconds_after: int, lasts_s: int) -> None:
    night.seconds = raised(CALM, at=AT_3 + seconds_after, by=10_000.0, lasts_s=lasts_s)
    night.pass_by(12)
    assert told(night) == (1, 1)
    assert "spike and back" in night.slack.posts[0]["text"]


def test_the_demo_ends_as_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main() == 0
    assert capsys.readouterr().out.endswith("1 alert, 1 recovery\n")


def test_predictions_that_leave_the_price_are_told(night: Night) -> None:
    night.pass_by(2)
    night.endpoint = Persistence(profile=PROFILE, skew=1.05)
    night.pass_by(1)
    assert sorted(post["text"].split("\n")[3][:2] for post in night.slack.posts) == ["P3", "P3"]
    assert "prediction does not jump up" in "".join(post["text"] for post in night.slack.posts)
    night.endpoint = Persistence(profile=PROFILE)
    night.pass_by(1)
    assert told(night) == (2, 2)


def test_a_prediction_that_differs_for_the_same_window_is_told(night: Night) -> None:
    class Wavering(Persistence):
        def predict(self, window: Window, *, timeout_s: float | None = None) -> Exchange:
            asked.append(window)
            return replace(steady, skew=1 + 1e-5 * len(asked)).predict(window, timeout_s=timeout_s)

    asked: list[Window] = []
    steady = Persistence(profile=PROFILE)
    night.endpoint = Wavering(profile=PROFILE)
    night.pass_by(1)
    (post,) = night.slack.posts
    assert "P2  The same window MUST get the same prediction." in post["text"]
    night.endpoint = steady
    night.pass_by(1)
    assert told(night) == (1, 1)


def test_an_outage_of_the_endpoint_is_one_alert_and_what_follows_from_it_none(night: Night) -> None:
    night.pass_by(1)
    night.endpoint = Down(profile=PROFILE)
    assert night.pass_by(14) == [Verdict.FAILED] * 14
    assert told(night) == (1, 0)
    assert "still failing, 14 times since 2026-01-15 02:40:04 UTC" in night.slack.posts[0]["text"]


def test_a_recovery_during_an_outage_of_slack_is_told_after_it(night: Night) -> None:
    night.pass_by(1)
    night.endpoint = Down(profile=PROFILE)
    night.slack.inject(*[Fault(kind="status", status=503)] * 4)
    night.pass_by(2)
    assert told(night) == (0, 0)
    night.pass_by(1)
    assert told(night) == (1, 0)
    for method in (UPDATE, "chat.postMessage"):
        night.slack.inject(*[Fault(kind="status", status=503)] * 4, method=method)
    night.endpoint = Persistence(profile=PROFILE)
    night.pass_by(2)
    assert told(night) == (1, 0)
    night.pass_by(2)
    assert told(night) == (1, 1)
    assert night.slack.posts[0]["text"].startswith("RECOVERED")


def test_a_feed_that_stops_is_told_once_and_the_endpoint_is_looked_at_all_the_same(night: Night) -> None:
    night.seconds = CALM[:1_000]
    verdicts = night.pass_by(6)
    assert verdicts == [Verdict.PASSED] * 3 + [Verdict.FAILED] * 3
    assert told(night) == (1, 0)
    assert "feed keeps D9" in night.slack.posts[0]["text"]


@dataclass(slots=True)
class Edited:
    """A feed whose newest records are given, and what is given is edited."""

    feed: Feed
    edit: Callable[[list[Record]], None]
    newest: int = 400
    reads: int = 0

    def read(self) -> list[Record]:
        """Read and edit."""
        records = self.feed.read()[-self.newest :]
        self.reads += 1
        self.edit(records)
        return records


def test_a_bad_record_is_told_once_and_is_over_when_the_next_ones_are_good(night: Night) -> None:
    """It is given for six minutes more, and no news any longer."""

    def edit(records: list[Record]) -> None:
        for record in records:
            if record["time_period_start"] == timestamp(round(BEGIN + 900) * SECOND_NS):
                record["price_low"] = None

    night.feed = Edited(night.market(), edit)
    verdicts = night.pass_by(6)
    assert verdicts.count(Verdict.FAILED) == 1
    assert told(night) == (1, 1)
    assert "feed keeps D4" in night.slack.posts[0]["text"]


@pytest.mark.parametrize("newest", [60, 400])
def test_a_second_that_changes_is_told_from_one_run_to_the_next_and_within_one(night: Night, newest: int) -> None:
    def edit(records: list[Record]) -> None:
        for record in records:
            if feed.reads > 2 and newest == 400 and record["time_period_start"] == rewritten:
                record["volume_traded"] = 777.0  # from the second run on, and the same in both of its readings
        if feed.reads == 4 and newest == 60:
            records[0]["volume_traded"] = 777.0

    rewritten = timestamp(round(BEGIN + 250) * SECOND_NS)
    feed = Edited(night.market(), edit, newest=newest)
    night.feed = feed
    night.pass_by(2)
    assert "feed agrees with its past" in night.slack.posts[0]["text"]


def test_of_a_feed_of_single_windows_each_last_prediction_comes_true_in_the_same_run(night: Night) -> None:
    night.feed = Edited(night.market(), lambda _: None, newest=60)
    night.pass_by(3)
    forecasts = Shelf(night.folder, "http://price").read().forecasts
    assert len(forecasts) == 3
    assert all(forecast.truth is not None for forecast in forecasts)


def test_a_window_that_would_be_stale_on_its_way_is_not_sent(night: Night) -> None:
    asked: list[Window] = []

    class Listening(Persistence):
        def predict(self, window: Window, *, timeout_s: float | None = None) -> Exchange:
            asked.append(window)
            return Persistence.predict(self, window, timeout_s=timeout_s)

    night.profile = PROFILE
    night.endpoint = Listening(profile=PROFILE)
    night.seconds = CALM[:280]  # 22 s old when it is read
    assert night.pass_by(1) == [Verdict.PASSED]
    ends = {moment_ns(window.newest("time_period_end")) for window in asked}
    ages_s = sorted(BEGIN + 302 - (end or 0) / SECOND_NS for end in ends)
    assert (ages_s[0], ages_s[-1]) == (22, 55)


def test_a_jump_is_not_over_because_the_feed_is_silent(night: Night) -> None:
    night.seconds = raised(CALM, at=1_190, by=10_000.0)[:1_201]
    night.pass_by(6)
    jumped = next(post for post in night.slack.posts if "does not jump up" in post["text"])
    assert jumped["text"].startswith("FAILED")
    assert night.slack.lines == []


def test_a_feed_that_cannot_be_read_is_told_and_a_step_that_breaks_leaves_the_others_alone(night: Night) -> None:
    class Broken:
        def read(self) -> list[dict[str, object]]:
            msg = "a defect of ours"
            raise RuntimeError(msg)

    night.feed = Broken()
    assert night.pass_by(1) == [Verdict.UNKNOWN]
    assert "unclear: feed: RuntimeError: a defect of ours" in night.said[0]
    night.endpoint = Down(profile=PROFILE)
    assert night.pass_by(1) == [Verdict.FAILED]


def test_what_is_remembered_is_bounded_and_lost_memory_is_no_disaster(night: Night) -> None:
    night.profile = replace(FEW, monitor=replace(FEW.monitor, predictions=20))
    sizes = []
    for _ in range(8):
        night.pass_by(1)
        sizes.append(next(night.folder.glob("monitor-*.json")).stat().st_size)
    assert sizes[-1] < 1.1 * sizes[3]
    assert sizes[-1] < 300_000
    kept = next(night.folder.glob("monitor-*.json"))
    for garbage in ("", "{}", '{"schema": 9}', "[]", '{"schema": 1, "pings": 3}'):
        kept.write_text(garbage)
        assert night.pass_by(1) == [Verdict.PASSED]


def test_state_is_what_it_was_after_it_was_kept(night: Night) -> None:
    night.pass_by(2)
    shelf = Shelf(night.folder, "http://price")
    state = shelf.read()
    assert state != State()
    assert State.from_json(state.as_json()) == state


def test_runs_that_overlap_leave_the_target_to_the_first(night: Night) -> None:
    with Shelf(night.folder, "http://price").alone():
        with pytest.raises(Overlapping):
            night.watch().once()
        with Shelf(night.folder, "http://another").alone():
            pass
    assert night.pass_by(1) == [Verdict.PASSED]


def test_forever_is_every_five_minutes_and_what_took_too_long_is_left_out(night: Night) -> None:
    class Tired(VirtualClock):
        def sleep(self, duration_s: float) -> None:
            super().sleep(duration_s)
            if self.now() > BEGIN + 2_000:
                raise KeyboardInterrupt

    class Slow(Persistence):
        def close(self) -> None:
            if BEGIN + 800 < night.clock.now() < BEGIN + 1_200:
                night.clock.sleep(400)  # longer than the five minutes

    night.clock = Tired(BEGIN + 300)
    night.endpoint = Slow(profile=PROFILE)
    with pytest.raises(KeyboardInterrupt):
        night.watch().forever()
    looked = [line[14:19] for line in night.said if " UTC  " in line]
    assert looked == ["35:04", "40:04", "51:44", "55:04", "00:04"]


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """Serve by the standard library's container, as a process: real pings, real windows, the real clock."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "SAGEMAKER_BIND_TO_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, str(ROOT / "fixtures/plain_container/serve.py")], env=environment
    ) as process:
        deadline_s = time.monotonic() + 20
        while time.monotonic() < deadline_s:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)


def quick(tmp_path: Path) -> Path:
    text = (ROOT / "harness/profiles/default.toml").read_text().replace("ping_pause_s = 1", "ping_pause_s = 0.01")
    (tmp_path / "quick.toml").write_text(text)
    return tmp_path / "quick.toml"


def monitor(tmp_path: Path, *options: str, **environment: str) -> tuple[int, str]:
    command = [*COMMAND, f"--sut-profile={quick(tmp_path)}", *options]
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path), "SLACK_BOT_TOKEN": "", "SUT_LEDGER": "", **environment},
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_once_is_0_where_all_is_well_and_1_where_something_is_wrong(tmp_path: Path, service: str) -> None:
    fresh = build(PROFILE.window, generate(seed=1, seconds=120), end_ns=last_whole_second_ns(time.time()))
    feed = tmp_path / "feed.csv"
    feed.write_bytes(to_csv(fresh))
    status, said = monitor(tmp_path, f"--sut-url={service}", "--once", f"--feed={feed}", f"--second-feed={feed}")
    assert (status, "PASSED" in said) == (0, True), said
    feed.write_bytes(to_csv(replace(fresh, records=fresh.records[:50])))
    status, said = monitor(tmp_path, f"--sut-url={service}", "--once", f"--feed={feed}")
    assert (status, "feed keeps D5" in said, "this would have been sent" in said) == (1, True, True), said


def test_once_is_2_where_nobody_can_tell(tmp_path: Path) -> None:
    status, said = monitor(tmp_path, "--sut-container=price", "--once", DOCKER_HOST="unix:///nowhere.sock")
    assert (status, "No Docker engine answers at /nowhere.sock" in said, "`unset DOCKER_HOST`" in said) == (
        2,
        True,
        True,
    )
    with Shelf(tmp_path / "inference-harness", "http://127.0.0.1:9 ").alone():
        status, said = monitor(tmp_path, "--sut-url=http://127.0.0.1:9", "--once")
    assert (status, "another run of the monitor looks at http://127.0.0.1:9 just now" in said) == (2, True), said


@pytest.mark.parametrize(
    "options",
    [["--once"], ["--sut-url=http://a", "--sut-container=b"], ["--sut-url=http://a", "--feed=no_such_module:newest"]],
)
def test_wrong_usage_is_4(tmp_path: Path, options: list[str]) -> None:
    assert monitor(tmp_path, *options)[0] == 4


def test_a_run_that_dies_between_telling_and_remembering_tells_no_second_time(night: Night) -> None:
    """Also where the disk is full: what it saw is seen again by the next run, and known by then."""

    class Forgetful(Shelf):
        def write(self, state: State) -> None:
            msg = f"no room for {len(state.pings)} pings"
            raise OSError(msg)

    night.seconds = raised(CALM, at=AT_3 + 100, by=10_000.0)
    night.pass_by(6)
    night.clock.sleep(299)
    replace(night.watch(), shelf=Forgetful(night.folder, "http://price")).once()
    assert told(night) == (1, 0)
    assert "the next run begins anew" in night.said[-1]
    night.pass_by(3)
    assert told(night) == (1, 1)


def test_a_run_that_dies_before_it_could_tell_is_made_up_for_by_the_next(night: Night) -> None:
    class Dying(Desk):
        @property
        def sink_name(self) -> str:
            raise KeyboardInterrupt

    night.seconds = raised(CALM, at=AT_3 + 100, by=10_000.0)
    night.pass_by(6)
    night.clock.sleep(299)
    watch = night.watch()
    named = {name: getattr(watch.desk, name) for name in Desk.__slots__}
    with pytest.raises(KeyboardInterrupt):
        replace(watch, desk=Dying(**named)).once()
    night.pass_by(3)
    assert told(night) == (1, 1)


def test_a_watch_that_is_killed_and_started_again_tells_once(tmp_path: Path) -> None:
    """With SIGKILL, right after it told; the terminal stands in for Slack."""
    command = [*COMMAND, f"--sut-profile={quick(tmp_path)}", "--sut-url=http://127.0.0.1:9"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "SLACK_BOT_TOKEN": "", "SUT_LEDGER": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as watch:
        assert watch.stdout is not None
        while "this would have been sent" not in watch.stdout.readline():
            pass
        watch.kill()
    status, said = monitor(tmp_path, "--sut-url=http://127.0.0.1:9", "--once")
    assert (status, "nothing new to tell" in said, "this would have been sent" in said) == (1, True, False), said
