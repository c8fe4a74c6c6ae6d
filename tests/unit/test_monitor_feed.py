"""The feed is read wherever it lies, and what is wrong with it is named by its dimension."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from harness.alerts.monitor.checks import FEED_RULES, PAST, SECOND
from harness.alerts.monitor.feed import CallableFeed, CsvFeed, FeedUnknown, FeedUnreadable, HttpFeed, open_feed
from harness.alerts.monitor.feed_check import carried_forward, check_feed, check_past, check_second, closes
from harness.contract.breach import Breach
from harness.contract.breaches import breaches
from harness.contract.data_rules import broken_rules
from harness.contract.profile import Alerts, load_profile
from harness.contract.records import Window, build, encode, last_whole_second_ns, to_csv
from harness.contract.series import generate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.contract.records import Record

PROFILE = load_profile()
RULE = PROFILE.window
NOW_S = 1_790_000_000.25
GOOD = build(RULE, generate(seed=1, seconds=RULE.records), end_ns=last_whole_second_ns(NOW_S))
LONG = build(RULE, generate(seed=2, seconds=5_000), end_ns=last_whole_second_ns(NOW_S))


def as_read(window: Window) -> list[Record]:
    """Return records as they come over a wire."""
    parsed: list[Record] = json.loads(encode(RULE, window))[RULE.key]
    return parsed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "feed.csv"


@pytest.mark.parametrize("window", [GOOD, LONG], ids=["short", "longer than what is read of it"])
def test_of_a_file_that_grows_the_end_is_read(file: Path, window: Window) -> None:
    file.write_bytes(to_csv(window))
    records = CsvFeed(file, RULE).read()
    assert records == as_read(window)[-len(records) :]
    assert len(records) >= min(len(window.records), 2_000)


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_line_that_is_still_being_written_is_left_for_the_next_time(file: Path, cut: int) -> None:
    file.write_bytes(to_csv(GOOD)[:-cut])
    assert CsvFeed(file, RULE).read() == as_read(GOOD)[:-1]


def test_an_empty_cell_is_nothing_and_what_is_no_number_stays_text(file: Path) -> None:
    header, first, *rest = to_csv(GOOD).decode().splitlines()
    cells = first.split(",")
    cells[4], cells[9] = "", "many"
    file.write_text("\n".join([header, ",".join(cells), *rest, ""]))
    record = CsvFeed(file, RULE).read()[0]
    assert (record["price_open"], record["trades_count"]) == (None, "many")


class _Pages(BaseHTTPRequestHandler):
    pages: dict[str, tuple[int, str, bytes]] = {}  # noqa: RUF012 - of this test alone

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Print nothing."""

    def do_GET(self) -> None:
        """Answer with a page."""
        status, kind, body = self.pages[self.path]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def page(status: int, kind: str, body: bytes) -> Iterator[str]:
    _Pages.pages["/feed"] = (status, kind, body)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/feed"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", encode(RULE, GOOD)),
        ("application/json", json.dumps(as_read(GOOD)).encode()),
        ("text/csv; charset=utf-8", to_csv(GOOD)),
    ],
    ids=["object", "array", "csv"],
)
def test_an_address_may_answer_in_three_ways(kind: str, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with page(200, kind, body) as url:
        assert open_feed(url, RULE).read() == as_read(GOOD)


@pytest.mark.parametrize(
    ("status", "kind", "body", "says"),
    [
        (503, "application/json", b"{}", "it answers 503"),
        (200, "application/json", b"<html>", "is no JSON"),
        (200, "application/json", b'{"rows": []}', "neither at the top nor under 'window'"),
        (200, "application/json", b"[1, 2]", "something that is no record"),
        (200, "text/csv", b"a,b\n\xff\n", "is no CSV"),
        (200, "text/csv", b'a,b\n"1,2\n', "is no CSV"),
    ],
)
def test_an_address_that_gives_no_records_says_why(
    status: int, kind: str, body: bytes, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with page(status, kind, body) as url, pytest.raises(FeedUnreadable, match=says):
        HttpFeed(url, RULE).read()


def test_nobody_listening_and_no_file_are_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("http://127.0.0.1:9/feed", str(tmp_path / "nowhere.csv"), str(tmp_path)):
        with pytest.raises(FeedUnreadable):
            open_feed(name, RULE).read()


def records_of_this_module() -> list[Record]:
    """Be a feed."""
    return as_read(GOOD)


def test_a_function_is_a_feed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "my_feed.py").write_text("def newest(): return [{'a': 1}]\ndown = lambda: 1 / 0\nnothing = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert open_feed("my_feed:newest", RULE).read() == [{"a": 1}]
    assert CallableFeed(records_of_this_module).read() == as_read(GOOD)
    with pytest.raises(FeedUnreadable, match="it raised ZeroDivisionError"):
        open_feed("my_feed:down", RULE).read()
    for name in ("my_feed:gone", "no_such_module:newest", "my_feed:nothing"):
        with pytest.raises(FeedUnknown, match=f"feed {name}"):
            open_feed(name, RULE)


def test_a_good_feed_keeps_every_rule() -> None:
    sight = check_feed(PROFILE, as_read(GOOD), now_s=NOW_S)
    assert sight.findings == ()
    assert {check.rule for check in sight.covered} == {f"D{number}" for number in range(1, 12)}


@pytest.mark.parametrize("rule_id", breaches(RULE))
def test_every_breach_of_every_dimension_is_found_under_its_rule(rule_id: str) -> None:
    """More records than a window has are no breach: a feed may give what it has."""

    @settings(max_examples=25, database=None, deadline=None)
    @given(breach=breaches(RULE)[rule_id])
    def check(breach: Breach) -> None:
        records = breach.of(GOOD).editable()
        found = {finding.check for finding in check_feed(PROFILE, records, now_s=NOW_S).findings}
        assert (FEED_RULES[rule_id] in found) == (rule_id != "D5" or len(records) < RULE.records)

    check()


def test_a_finding_counts_the_records_and_shows_the_first() -> None:
    records = as_read(GOOD)
    for place in (7, 9):
        records[place]["price_low"] = None
    (finding,) = check_feed(PROFILE, records, now_s=NOW_S).findings
    assert finding.check == FEED_RULES["D4"]
    assert finding.evidence.startswith(
        f"2 of 60 records, the first {{'time_period_start': '{records[7]['time_period_start']}'"
    )


def test_a_gap_is_shown_with_its_two_sides() -> None:
    records = as_read(GOOD)
    del records[30]
    found = {one.check.rule: one.evidence for one in check_feed(PROFILE, records, now_s=NOW_S).findings}
    assert found.keys() == {"D5", "D6"}
    assert f"{records[29]['time_period_end']} is followed by {records[30]['time_period_end']}" in found["D6"]


def test_row_keys_of_the_records_make_one_finding_of_each() -> None:
    """Whoever is told apart in the profile is told of apart; 7, 7.0 and "7" are one."""
    keyed = replace(PROFILE, alerts=Alerts(notification_deduping_row_keys=("user_id", "pam_user_id", "check")))
    records = [{**record, "user_id": place % 3, "pam_user_id": "x"} for place, record in enumerate(as_read(GOOD))]
    for place, user in ((0, 0), (1, 1.0), (4, "1"), (5, 2)):
        records[place] |= {"price_low": None, "user_id": user}
    del records[5]["pam_user_id"]
    found = [(dict(finding.row), finding.evidence[:7]) for finding in check_feed(keyed, records, now_s=NOW_S).findings]
    one, two = {"user_id": "0", "pam_user_id": "x"}, {"user_id": "1", "pam_user_id": "x"}
    assert found == [(one, "1 of 60"), (two, "2 of 60"), ({}, "1 of 60")]


def test_a_second_that_changes_after_it_was_given_is_found() -> None:
    before = {str(record["time_period_start"]): record for record in as_read(GOOD)}
    assert check_past(RULE, before, as_read(GOOD)).verdict.value == "PASSED"
    changed = as_read(GOOD)
    changed[59]["price_close"] = 1.0
    (finding,) = check_past(RULE, before, changed).findings
    assert finding.check == PAST
    assert "1 of 60 seconds changed" in finding.evidence
    assert "became 1.0" in finding.evidence
    assert check_past(RULE, {}, changed).covered == ()


def test_a_second_source_may_differ_by_the_tolerance_and_no_more() -> None:
    others = as_read(GOOD)
    others[10]["price_close"] = float(str(others[10]["price_close"])) * 1.004
    assert check_second(PROFILE, as_read(GOOD), others).findings == ()
    others[10]["price_close"] = float(str(others[10]["price_close"])) * 1.004
    (finding,) = check_second(PROFILE, as_read(GOOD), others).findings
    assert finding.check == SECOND
    assert "1 of 60 closes lie more than 0.50% apart" in finding.evidence
    later = build(RULE, generate(seed=1, seconds=60), end_ns=last_whole_second_ns(NOW_S + 900))
    assert check_second(PROFILE, as_read(GOOD), as_read(later)).doubts


def test_seconds_that_a_feed_leaves_out_are_carried_forward() -> None:
    records = as_read(GOOD)
    thinned = [record for place, record in enumerate(records) if place not in (20, 21, 40)]
    filled = carried_forward(RULE, thinned)
    assert broken_rules(RULE, Window(records=tuple(filled)), now_s=NOW_S) == set()
    assert filled[20]["price_high"] == records[19]["price_close"]
    long_gone = carried_forward(RULE, [records[0], {**records[59], "time_period_start": "2026-12-01T00:00:00Z"}])
    assert len(long_gone) == 2


def test_closes_that_cannot_be_read_are_left_out() -> None:
    records = as_read(GOOD)
    for place, close in ((0, None), (1, "1"), (2, True), (3, -1.0)):
        records[place]["price_close"] = close
    records[4]["time_period_end"] = "now"
    assert len(closes(RULE, records)) == 55
