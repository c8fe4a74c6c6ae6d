"""What was told is told again after 24 hours at the earliest, across processes, crashes and clocks set back."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.alerts.alert import Alert, Checked, Headline, Observation
from harness.alerts.database import journal_mode, set_aside
from harness.alerts.ledger import Ledger, LedgerError, NoSuchKey, default_ledger_path, open_ledger
from harness.alerts.outbox import LEASE_S, WINDOW_S, Ending, Parcel

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_800_000_000.0
SINK = "slack:ops"
STATES = st.sampled_from(["told", "failed", "well"])
RUN = Headline(verdict="FAILED", target="shop/predictor", profile="default", at=NOW, duration_s=9.0)


def alert(check: str = "a", evidence: str = "") -> Alert:
    return Alert(target="shop/predictor", rule="C3", check=check, must="It MUST.", evidence=evidence)


def checked(*checks: str) -> list[Checked]:
    return [Checked(target="shop/predictor", check=check) for check in checks]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "state" / "ledger.sqlite3") as opened:
        yield opened


def claim(ledger: Ledger, now: float, *checks: str, sink: str = SINK) -> tuple[Parcel, ...]:
    ledger.observe(Observation(alerts=[alert(check) for check in checks]), RUN, sink, now)
    return ledger.outbox.claim(sink, now)


def end(ledger: Ledger, parcels: tuple[Parcel, ...], state: Literal["told", "failed", "unclear"], now: float) -> None:
    for parcel in parcels:
        ledger.outbox.settle(parcel.id, Ending(state=state, channel_id="C1", ts=f"{now:.6f}"), now)


def tell(ledger: Ledger, now: float, *checks: str, sink: str = SINK) -> list[str]:
    """Return the checks that were told."""
    parcels = claim(ledger, now, *checks, sink=sink)
    end(ledger, parcels, "told", now)
    return [condition.alert.check for parcel in parcels for condition in parcel.conditions]


@pytest.mark.parametrize(("age_s", "told"), [(0, 0), (WINDOW_S - 0.001, 0), (WINDOW_S, 1), (WINDOW_S + 1, 1)])
def test_the_window_is_24_hours_to_the_second(ledger: Ledger, age_s: float, told: int) -> None:
    assert tell(ledger, NOW, "a") == ["a"]
    assert len(tell(ledger, NOW + age_s, "a")) == told


def test_a_profile_may_set_another_window(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "l", window_s=3600) as ledger:
        assert [len(tell(ledger, NOW + age_s, "a")) for age_s in (0, 3599, 3600, 7000)] == [1, 0, 1, 0]


def test_the_window_runs_from_the_acceptance_and_is_each_keys_own(ledger: Ledger) -> None:
    end(ledger, claim(ledger, NOW, "a"), "told", NOW + 15)
    assert tell(ledger, NOW + 3600, "a", "b") == ["b"]
    assert tell(ledger, NOW + WINDOW_S + 14, "a", "b") == []
    assert tell(ledger, NOW + WINDOW_S + 15, "a", "b") == ["a"]


def test_what_one_sink_was_told_the_others_were_not(ledger: Ledger) -> None:
    sinks = ("console", SINK, "slack:dev", "console")
    assert [len(tell(ledger, NOW, "a", sink=sink)) for sink in sinks] == [1, 1, 1, 0]


def test_a_failed_delivery_is_not_a_told_one_and_is_due_without_being_seen_again(ledger: Ledger) -> None:
    parcels = claim(ledger, NOW, "a")
    assert ledger.outbox.attempt(parcels[0].id, NOW)
    end(ledger, parcels, "failed", NOW)
    (again,) = ledger.outbox.claim(SINK, NOW + 1)
    assert [condition.alert.check for condition in again.conditions] == ["a"]


def test_one_key_given_twice_is_one_alert(ledger: Ledger) -> None:
    seen = Observation(alerts=[alert("a", "first"), alert("b"), alert("a", "second")])
    ledger.observe(seen, RUN, SINK, NOW)
    (parcel,) = ledger.outbox.claim(SINK, NOW)
    assert sorted((found.alert.check, found.alert.evidence) for found in parcel.conditions) == [
        ("a", "first"),
        ("b", ""),
    ]


def test_what_a_live_process_is_telling_is_left_to_it(ledger: Ledger) -> None:
    (first,) = claim(ledger, NOW, "a")
    (second,) = claim(ledger, NOW + 1, "a", "b")
    assert (len(first.conditions), [found.alert.check for found in second.conditions]) == (1, ["b"])


def test_a_claim_of_a_dead_process_that_sent_nothing_is_free_again(ledger: Ledger) -> None:
    (dead,) = claim(ledger, NOW, "a")
    assert ledger.outbox.unsettled(SINK, NOW + LEASE_S) == ()
    assert tell(ledger, NOW + LEASE_S, "a") == ["a"]
    assert not ledger.outbox.attempt(dead.id, NOW + LEASE_S)


def test_a_delivery_that_died_while_sending_is_held_back_until_it_is_settled(ledger: Ledger) -> None:
    parcels = claim(ledger, NOW, "a")
    ledger.outbox.attempt(parcels[0].id, NOW)
    assert ledger.outbox.unsettled(SINK, NOW + LEASE_S - 1) == ()
    later = NOW + LEASE_S
    assert [lost.id for lost in ledger.outbox.unsettled(SINK, later)] == [parcels[0].id]
    assert tell(ledger, later, "a") == []
    end(ledger, parcels, "failed", later)
    assert tell(ledger, later, "a") == ["a"]


def test_told_stays_told(ledger: Ledger) -> None:
    parcels = claim(ledger, NOW, "a")
    end(ledger, parcels, "told", NOW)
    end(ledger, parcels, "failed", NOW + 1)
    assert tell(ledger, NOW + 2, "a") == []
    assert ledger.outbox.channel_id(SINK) == "C1"


def test_what_is_well_again_is_told_once_and_does_not_end_the_window(ledger: Ledger) -> None:
    tell(ledger, NOW, "a", "b")
    for check_s, failing in ((300, "b"), (600, "ab"), (900, "b")):
        now = NOW + check_s
        seen = Observation(alerts=[alert(check) for check in failing], covered=checked("a", "b"))
        ledger.observe(seen, RUN, SINK, now)
        assert ledger.outbox.claim(SINK, now) == ()
        lines = ledger.outbox.claim_recoveries(SINK, now)
        assert [found.alert.check for line in lines for found in line.conditions] == (["a"] if check_s == 300 else [])
        end(ledger, lines, "told", now)


def test_a_recovery_that_another_process_tells_or_may_have_told_is_left_alone(ledger: Ledger) -> None:
    """Unlike an alert, it is told once for all: a window later too."""
    tell(ledger, NOW, "a")
    ledger.observe(Observation(covered=checked("a")), RUN, SINK, NOW + 1)
    (line,) = ledger.outbox.claim_recoveries(SINK, NOW + 1)
    assert ledger.outbox.claim_recoveries(SINK, NOW + 1) == ()
    ledger.outbox.attempt(line.id, NOW + 2)
    assert ledger.outbox.claim_recoveries(SINK, NOW + 2 * WINDOW_S) == ()
    end(ledger, (line,), "failed", NOW + 2 * WINDOW_S)
    assert len(ledger.outbox.claim_recoveries(SINK, NOW + 2 * WINDOW_S)) == 1


def test_a_message_that_was_long_in_doubt_takes_nothing_from_a_newer_one(ledger: Ledger) -> None:
    (old,) = claim(ledger, NOW, "a")
    ledger.outbox.attempt(old.id, NOW)
    later = NOW + WINDOW_S + 1
    (new,) = claim(ledger, later, "a")
    end(ledger, (new,), "told", later)
    ledger.outbox.settle(old.id, Ending(state="told", at=NOW, ts="1.1"), later)
    ((_, condition, _),) = ledger.conditions(later)
    assert (condition.told_by, condition.told_at) == (new.id, later)
    assert [parcel.id for parcel in ledger.outbox.outdated(SINK, later, most=9)] == [old.id]


def test_what_was_not_checked_is_neither_well_nor_seen_again(ledger: Ledger) -> None:
    tell(ledger, NOW, "a")
    sighting = ledger.observe(Observation(covered=checked("b")), RUN, SINK, NOW + 1)
    assert sighting.recovered == ()
    ((_, condition, _),) = ledger.conditions(NOW + 1)
    assert (condition.state, condition.times) == ("failing", 1)


def test_what_was_well_again_before_anybody_heard_of_it_is_told_once_and_as_such(ledger: Ledger) -> None:
    end(ledger, claim(ledger, NOW, "a"), "failed", NOW)
    ledger.observe(Observation(covered=checked("a")), RUN, SINK, NOW + 300)
    parcels = ledger.outbox.claim(SINK, NOW + 300)
    assert [(found.alert.check, found.state) for found in parcels[0].conditions] == [("a", "well")]
    end(ledger, parcels, "told", NOW + 300)
    assert ledger.outbox.claim_recoveries(SINK, NOW + 301) == ()


def test_a_message_is_out_of_date_when_its_alerts_are_seen_again_or_well(ledger: Ledger) -> None:
    tell(ledger, NOW, "a")
    assert ledger.outbox.outdated(SINK, NOW, most=9) == ()
    for times, seen in ((2, Observation(alerts=[alert("a")])), (2, Observation(covered=checked("a")))):
        ledger.observe(seen, RUN, SINK, NOW + times)
        (old,) = ledger.outbox.outdated(SINK, NOW + times, most=9)
        assert (old.channel_id, old.conditions[0].times) == ("C1", 2)
        assert ledger.outbox.hold(old.id, NOW + times)
        assert not ledger.outbox.hold(old.id, NOW + times)
        ledger.outbox.shown(old, NOW + times)
        assert ledger.outbox.outdated(SINK, NOW + times, most=9) == ()


def test_a_silenced_key_is_told_when_the_silence_ends_and_never_where_it_was_well_by_then(ledger: Ledger) -> None:
    key = alert("a").dedup_key
    ledger.observe(Observation(alerts=[alert("a"), alert("b")]), RUN, SINK, NOW)
    assert ledger.silence(key[:10], NOW + 600, NOW) == key
    assert ledger.silence(alert("b").dedup_key, NOW + 600, NOW)
    assert ledger.outbox.claim(SINK, NOW) == ()
    ledger.observe(Observation(covered=checked("b")), RUN, SINK, NOW + 300)
    (parcel,) = ledger.outbox.claim(SINK, NOW + 600)
    assert [found.alert.check for found in parcel.conditions] == ["a"]


@pytest.mark.parametrize("prefix", ["", "zz"])
def test_a_key_that_is_none_cannot_be_silenced(ledger: Ledger, prefix: str) -> None:
    tell(ledger, NOW, "a", "b")
    with pytest.raises(NoSuchKey, match="harness alerts list"):
        ledger.silence(prefix, NOW + 1, NOW)


def test_a_storm_is_one_digest_and_fewer_are_messages_of_their_own(ledger: Ledger) -> None:
    watch = Headline(verdict="FAILED", target="shop/predictor", profile="default", at=NOW)
    for count, messages in ((10, 10), (11, 1)):
        sink = f"slack:{count}"
        ledger.observe(Observation(alerts=[alert(str(place)) for place in range(count)]), watch, sink, NOW)
        parcels = ledger.outbox.claim(sink, NOW, storm_keys=10)
        assert len(parcels) == messages
        assert sum(len(parcel.conditions) for parcel in parcels) == count


def test_requests_of_all_processes_are_one_pace_apart(ledger: Ledger) -> None:
    assert [ledger.outbox.slot(SINK, NOW, pace_s=1.0) - NOW for _ in range(3)] == [0, 1, 2]
    assert ledger.outbox.slot("slack:dev", NOW, pace_s=1.0) == NOW
    assert ledger.outbox.slot(SINK, NOW + 60, pace_s=1.0) == NOW + 60
    assert ledger.outbox.slot(SINK, NOW - 9_000, pace_s=1.0) == NOW - 9_000  # set back


def test_a_clock_set_back_repeats_nothing_and_holds_back_for_one_window_at_most(ledger: Ledger) -> None:
    assert tell(ledger, NOW, "a") == ["a"]
    back = NOW - 400 * 24 * 3600
    assert tell(ledger, back, "a") == []
    assert tell(ledger, back + WINDOW_S - 1, "a") == []
    assert tell(ledger, back + WINDOW_S, "a") == ["a"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-90_000, 90_000), st.sampled_from("ab"), st.sampled_from(["told", "failed", "well"])))
)
def test_accepted_posts_of_a_key_are_a_window_apart_and_the_next_is_not_late(
    steps: list[tuple[float, str, Literal["told", "failed", "well"]]],
) -> None:
    """The clock's steps back count as no time: then a post may be late by them, and is never early."""
    now, passed, told_at = NOW, 0.0, dict[str, float]()
    with open_ledger(None) as ledger:
        for step_s, check, state in steps:
            now, passed = now + step_s, passed + max(0.0, step_s)
            if state == "well":
                ledger.observe(Observation(covered=checked(check)), RUN, SINK, now)
                continue
            parcels = claim(ledger, now, check)
            told = {found.alert.check for parcel in parcels for found in parcel.conditions}
            ages_s = {name: passed - told_at.get(name, float("-inf")) for name in "ab"}
            assert all(ages_s[name] >= WINDOW_S - 0.001 for name in told)
            end(ledger, parcels, state, now)
            told_at |= dict.fromkeys(told, passed) if state == "told" else {}
            if check not in told and all(step >= 0 for step, *_ in steps):
                assert ages_s[check] < WINDOW_S + 0.001


_RUN = """
import sys, time
from pathlib import Path
from harness.alerts.alert import Alert, Headline, Observation
from harness.alerts.ledger import open_ledger
from harness.alerts.outbox import Ending
alerts = [Alert(target="t", rule="C3", check=str(n), must="", evidence="") for n in range(20)]
headline = Headline(verdict="FAILED", target="t", profile="", duration_s=1.0)
told = 0
with open_ledger(Path(sys.argv[1])) as ledger:
    ledger.observe(Observation(alerts=alerts), headline, "slack:ops", time.time())
    for parcel in ledger.outbox.claim("slack:ops", time.time()):
        told += len(parcel.conditions)
        ledger.outbox.settle(parcel.id, Ending(state="told"), time.time())
print(told)
"""


def test_processes_that_start_together_tell_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _RUN, str(tmp_path / "ledger.sqlite3")]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [run.communicate(timeout=30) for run in runs]
    assert sorted(out.strip() for out, _ in outputs) == ["0"] * 3 + ["20"], outputs


def test_the_ledger_stays_bounded(tmp_path: Path) -> None:
    """Each day two new alerts and a failed delivery: what is older than 30 days is forgotten."""
    path = tmp_path / "ledger.sqlite3"
    with open_ledger(path) as ledger:
        for day in range(40):
            now = NOW + day * WINDOW_S
            end(ledger, claim(ledger, now, f"{day}"), "failed", now)
            tell(ledger, now, f"{day}", "always")
    connection = sqlite3.connect(path)
    tables = ("delivery", "telling", "condition", "silence")
    rows = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]  # noqa: S608 - ours
    connection.close()
    assert rows == [32, 63, 32, 0]


def test_a_ledger_that_cannot_be_used_says_so_and_a_corrupt_one_can_be_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(b"this is no database, and long enough to be looked at" * 40)
    with pytest.raises(LedgerError, match="not a database") as caught, open_ledger(path):
        pass
    assert caught.value.corrupt
    assert set_aside(path).read_bytes().startswith(b"this is no database")
    with open_ledger(path) as ledger:
        assert tell(ledger, NOW, "a") == ["a"]


def test_a_ledger_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(LedgerError, match="schema 99") as caught, open_ledger(path):
        pass
    assert not caught.value.corrupt


_VERSION_1 = f"""
CREATE TABLE delivery (id TEXT PRIMARY KEY, sink TEXT, created_at REAL, at REAL, state TEXT, channel_id TEXT, ts TEXT);
CREATE TABLE alert (delivery_id TEXT, key TEXT, target TEXT, rule TEXT, check_name TEXT);
CREATE INDEX alert_by_key ON alert (key);
CREATE INDEX delivery_by_age ON delivery (at);
INSERT INTO delivery VALUES ('d1', '{SINK}', {NOW}, {NOW}, 'told', 'C1', '1.2'),
    ('d2', '{SINK}', {NOW}, {NOW}, 'failed', NULL, NULL);
INSERT INTO alert VALUES ('d1', '{alert("a").dedup_key}', 'shop/predictor', 'C3', 'a'),
    ('d2', '{alert("b").dedup_key}', 'shop/predictor', 'C3', 'b');
PRAGMA user_version = 1;
"""  # noqa: S608 - made here


def test_what_an_earlier_version_told_stays_told(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "ledger.sqlite3")
    connection.executescript(_VERSION_1)
    connection.close()
    with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        assert tell(ledger, NOW + WINDOW_S - 1, "a", "b") == ["b"]
        assert tell(ledger, NOW + WINDOW_S, "a", "b") == ["a"]


MOUNTS = """/dev/sda1 / ext4 rw 0 0
server:/export /mnt/team nfs4 rw 0 0
/dev/sdb1 /mnt/team/local xfs rw 0 0
//nas/share /mnt/with\\040space cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("/home/al/ledger", "WAL"),
        ("/mnt/team/ledger", "DELETE"),
        ("/mnt/team/local/ledger", "WAL"),
        ("/mnt/with space/ledger", "DELETE"),
    ],
)
def test_a_ledger_that_machines_share_over_a_network_needs_no_shared_memory(path: str, mode: str) -> None:
    assert journal_mode(Path(path), MOUNTS) == mode


def test_a_ledger_on_a_disk_of_this_machine_is_in_wal_mode(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.sqlite3"):
        connection = sqlite3.connect(tmp_path / "ledger.sqlite3")
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        connection.close()


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({"XDG_STATE_HOME": "/var/state", "HOME": "/home/al"}, "/var/state"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/al"}, "/home/al/.local/state"),
        ({"HOME": "/home/al"}, "/home/al/.local/state"),
    ],
)
def test_the_default_place_follows_the_xdg_specification(environ: dict[str, str], root: str) -> None:
    assert default_ledger_path(environ) == Path(root, "inference-harness", "ledger.sqlite3")


def test_machines_share_the_ledger_that_the_environment_names() -> None:
    assert default_ledger_path({"SUT_LEDGER": "/mnt/team/ledger", "HOME": "/home/al"}) == Path("/mnt/team/ledger")
