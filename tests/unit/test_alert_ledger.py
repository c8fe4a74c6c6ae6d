"""What was told is told again after 24 hours at the earliest, across processes, crashes and clocks set back."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.alerts.alert import Alert
from harness.alerts.ledger import (
    LEASE_S,
    WINDOW_S,
    Ending,
    Ledger,
    LedgerError,
    default_ledger_path,
    open_ledger,
    set_aside,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_800_000_000.0
SINK = "slack:ops"


def alert(check: str = "a", evidence: str = "") -> Alert:
    return Alert(target="shop/predictor", rule="C3", check=check, must="It MUST.", evidence=evidence)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "state" / "ledger.sqlite3") as opened:
        yield opened


def tell(ledger: Ledger, now: float, *checks: str, sink: str = SINK) -> int:
    claim = ledger.claim([alert(check) for check in checks], sink, now)
    if claim.fresh:
        ledger.settle(claim.delivery_id, Ending(state="told"), now)
    return len(claim.fresh)


@pytest.mark.parametrize(("age_s", "told"), [(0, 0), (WINDOW_S - 0.001, 0), (WINDOW_S, 1), (WINDOW_S + 1, 1)])
def test_the_window_is_24_hours_to_the_second(ledger: Ledger, age_s: float, told: int) -> None:
    assert tell(ledger, NOW, "a") == 1
    assert tell(ledger, NOW + age_s, "a") == told


def test_the_window_runs_from_the_acceptance_and_is_each_keys_own(ledger: Ledger) -> None:
    claim = ledger.claim([alert("a")], SINK, NOW)
    ledger.settle(claim.delivery_id, Ending(state="told"), NOW + 15)
    assert tell(ledger, NOW + 3600, "a", "b") == 1
    assert tell(ledger, NOW + WINDOW_S + 14, "a", "b") == 0
    assert tell(ledger, NOW + WINDOW_S + 15, "a", "b") == 1


def test_what_one_sink_was_told_the_others_were_not(ledger: Ledger) -> None:
    assert [tell(ledger, NOW, "a", sink=sink) for sink in ("console", SINK, "slack:dev", "console")] == [1, 1, 1, 0]


def test_a_failed_delivery_is_not_a_told_one(ledger: Ledger) -> None:
    claim = ledger.claim([alert()], SINK, NOW)
    assert ledger.attempt(claim.delivery_id, NOW)
    ledger.settle(claim.delivery_id, Ending(state="failed"), NOW)
    assert tell(ledger, NOW + 1, "a") == 1


def test_one_key_given_twice_is_one_alert(ledger: Ledger) -> None:
    claim = ledger.claim([alert("a", "first"), alert("b"), alert("a", "second")], SINK, NOW)
    assert [(fresh.check, fresh.evidence) for fresh in claim.fresh] == [("a", "first"), ("b", "")]


def test_what_a_live_process_is_telling_is_left_to_it(ledger: Ledger) -> None:
    first = ledger.claim([alert("a")], SINK, NOW)
    second = ledger.claim([alert("a"), alert("b")], SINK, NOW + 1)
    assert (len(first.fresh), [fresh.check for fresh in second.fresh], second.elsewhere) == (1, ["b"], 1)


def test_a_claim_of_a_dead_process_that_sent_nothing_is_free_again(ledger: Ledger) -> None:
    dead = ledger.claim([alert()], SINK, NOW)
    assert ledger.unsettled(SINK, NOW + LEASE_S) == ()
    assert tell(ledger, NOW + LEASE_S, "a") == 1
    assert not ledger.attempt(dead.delivery_id, NOW + LEASE_S)


def test_a_delivery_that_died_while_sending_is_held_back_until_it_is_settled(ledger: Ledger) -> None:
    dead = ledger.claim([alert()], SINK, NOW)
    ledger.attempt(dead.delivery_id, NOW)
    assert ledger.unsettled(SINK, NOW + LEASE_S - 1) == ()
    later = NOW + LEASE_S
    assert [lost.id for lost in ledger.unsettled(SINK, later)] == [dead.delivery_id]
    assert tell(ledger, later, "a") == 0
    ledger.settle(dead.delivery_id, Ending(state="failed"), later)
    assert tell(ledger, later, "a") == 1


def test_told_stays_told(ledger: Ledger) -> None:
    claim = ledger.claim([alert()], SINK, NOW)
    ledger.settle(claim.delivery_id, Ending(state="told", channel_id="C1", ts="1.2"), NOW)
    ledger.settle(claim.delivery_id, Ending(state="failed"), NOW + 1)
    assert tell(ledger, NOW + 2, "a") == 0
    assert ledger.channel_id(SINK) == "C1"


def test_a_clock_set_back_repeats_nothing_and_holds_back_for_one_window_at_most(ledger: Ledger) -> None:
    assert tell(ledger, NOW, "a") == 1
    back = NOW - 400 * 24 * 3600
    assert tell(ledger, back, "a") == 0
    assert tell(ledger, back + WINDOW_S - 1, "a") == 0
    assert tell(ledger, back + WINDOW_S, "a") == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-90_000, 90_000), st.sampled_from("ab"), st.sampled_from(["told", "failed"]))))
def test_accepted_posts_of_a_key_are_a_window_apart_and_the_next_is_not_late(
    steps: list[tuple[float, str, str]],
) -> None:
    """The clock's steps back count as no time: then a post may be late by them, and is never early."""
    now, passed, told_at = NOW, 0.0, dict[str, float]()
    with open_ledger(None) as ledger:
        for step_s, check, state in steps:
            now, passed = now + step_s, passed + max(0.0, step_s)
            claim = ledger.claim([alert(check)], SINK, now)
            age_s = passed - told_at.get(check, float("-inf"))
            assert not (claim.fresh and age_s < WINDOW_S - 0.001)
            if claim.fresh:
                ledger.settle(claim.delivery_id, Ending(state=state), now)  # type: ignore[arg-type]
                told_at |= {check: passed} if state == "told" else {}
            elif all(step >= 0 for step, *_ in steps):
                assert age_s < WINDOW_S + 0.001


_RUN = """
import sys, time
from pathlib import Path
from harness.alerts.alert import Alert
from harness.alerts.ledger import Ending, open_ledger
alerts = [Alert(target="t", rule="C3", check=str(n), must="", evidence="") for n in range(20)]
with open_ledger(Path(sys.argv[1])) as ledger:
    claim = ledger.claim(alerts, "slack:ops", time.time())
    if claim.fresh:
        ledger.settle(claim.delivery_id, Ending(state="told"), time.time())
print(len(claim.fresh))
"""


def test_processes_that_start_together_tell_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _RUN, str(tmp_path / "ledger.sqlite3")]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [run.communicate(timeout=30) for run in runs]
    assert sorted(out.strip() for out, _ in outputs) == ["0"] * 3 + ["20"], outputs


def test_the_ledger_stays_bounded(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with open_ledger(path) as ledger:
        for day in range(40):
            tell(ledger, NOW + day * WINDOW_S, "a", "b")
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT (SELECT count(*) FROM delivery), (SELECT count(*) FROM alert)").fetchone()
    connection.close()
    assert rows == (31, 62)


def test_a_ledger_that_cannot_be_used_says_so_and_a_corrupt_one_can_be_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(b"this is no database, and long enough to be looked at" * 40)
    with pytest.raises(LedgerError, match="not a database") as caught, open_ledger(path):
        pass
    assert caught.value.corrupt
    assert set_aside(path).read_bytes().startswith(b"this is no database")
    with open_ledger(path) as ledger:
        assert tell(ledger, NOW, "a") == 1


def test_a_ledger_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(LedgerError, match="schema 99") as caught, open_ledger(path):
        pass
    assert not caught.value.corrupt


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
