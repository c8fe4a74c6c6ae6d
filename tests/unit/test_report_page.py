"""The page of a report: what it says of each kind of run, to whom, and what it never lets a container do."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.contract.rules import RULES
from harness.report.history import put_away
from harness.report.report import write_report
from harness.report.verdict import Subject
from tests.unit import made_runs
from tests.unit.parsed_html import Element, parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Made = Callable[[Path], Path]
    Shown = Callable[[Made], Element]

RUNS = [made_runs.passed, made_runs.failed, made_runs.unknown, made_runs.waived, made_runs.cut_short]
every_run = pytest.mark.parametrize("made", [*RUNS, made_runs.hostile], ids=lambda made: made.__name__)


def page(folder: Path) -> Element:
    return parse(write_report(folder).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Show the page of a run, written once for all tests."""
    return cache(lambda made: page(made(tmp_path_factory.mktemp(made.__name__))))


def first_screen(found: Element) -> str:
    return " ".join(found.all("header")[0].text.split())


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (made_runs.passed, "PASSED registry.example:5000/team/price:1.5 may be promoted 38 rules"),
        (
            made_runs.failed,
            "FAILED registry.example:5000/team/price:1.5 must not be promoted It broke 4 rules of the 38",
        ),
        (made_runs.waived, "keeps what was checked, which is not the whole contract 1 rule, 1 check: every one holds."),
        (
            made_runs.unknown,
            "UNKNOWN The image must not be promoted: whether it keeps its promises is not known The run ended with",
        ),
        (
            made_runs.cut_short,
            "must not be promoted: whether it keeps its promises is not known 1 rule held. The run was interrupted.",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_first_words_are_the_verdict_and_why(shown: Shown, made: Made, says: str) -> None:
    assert says in first_screen(shown(made))


def test_why_names_the_rule_its_promise_and_what_came(shown: Shown) -> None:
    said = first_screen(shown(made_runs.failed))
    assert f"D4 {RULES['D4'].sentence}" in said
    assert "Expected status 422 to record 29: volume_traded is null; got 200" in said


def test_failure_shows_promise_expected_actual_line_log_and_difference(shown: Shown) -> None:
    found = shown(made_runs.failed)
    (details,) = [one for one in found.all("details") if "test_breach[D4]" in one.all("summary")[0].text]
    words = " ".join(details.text.split())
    for part in ("It MUST be so.", made_runs.SEEN.expected, made_runs.SEEN.actual, made_runs.MISSED.again, "listening"):
        assert part in words
    assert [cell.text for cell in details.all("table")[0].all("td")] == ["29", "0.5", "null"]
    assert details.all("del")[0].text == "0.5"
    assert "failures/0123456789ab.body" in [link.attributes["href"] for link in details.all("a")]


def test_check_stands_in_full_once_and_is_found_from_every_rule_that_it_broke(shown: Shown) -> None:
    found = shown(made_runs.failed)
    assert sum("test_breach[D4]" in one.text for one in found.all("summary")) == 1
    mentions = [link for one in found.all("details") for link in one.all("a") if "test_breach[D4]" in link.text]
    assert {link.attributes["href"] for link in mentions} == {"#failure-1"}
    assert "test_breach[D4]" in found.by_id("failure-1").text


def test_failure_that_speaks_for_no_rule_is_shown(shown: Shown) -> None:
    assert "neither here nor there" in shown(made_runs.failed).by_id("failures").text


def test_matrix_has_every_rule_run_or_not(shown: Shown) -> None:
    rows = shown(made_runs.cut_short).by_id("rules").all("tr")
    states = {row.attributes["id"]: row.attributes["class"] for row in rows if "id" in row.attributes}
    assert states == {f"rule-{rule_id}": "passed" if rule_id == "C3" else "not-run" for rule_id in RULES}


def test_matrix_tells_suites_apart(shown: Shown) -> None:
    row = shown(made_runs.failed).by_id("rule-D4")
    assert [cell.attributes["class"] for cell in row.all("td")] == [
        "not-promised",
        "failed",
        "not-promised",
        "not-promised",
    ]


def test_experiment_is_judged_from_its_record_and_its_timeline_told_in_words(shown: Shown) -> None:
    found = shown(made_runs.failed).by_id("chaos-stop")
    assert "FAILED" in found.all("h3")[0].text
    assert "143" in found.text
    (drawn,) = found.all("svg")
    assert drawn.attributes["role"] == "img"
    assert "the fault lasted from 4.0 s to 8.0 s" in drawn.attributes["aria-label"]


def test_record_that_an_earlier_run_left_is_not_this_runs(tmp_path: Path) -> None:
    made_runs.passed(tmp_path)
    made_runs.conclusion(made_runs.check("passed", "C3"), started="2026-11-25T03:00:00+00:00").write(tmp_path)
    assert not [one for one in page(tmp_path).all("section") if one.attributes["id"] == "chaos"]


def test_what_was_waived_says_why_and_whether_it_is_broken(shown: Shown) -> None:
    said = shown(made_runs.waived).by_id("waived").text
    assert "the load balancer in front answers 405 itself" in said
    assert "404" in said


def test_what_was_skipped_or_not_known_says_why(shown: Shown) -> None:
    found = shown(made_runs.failed)
    assert "needs root" in found.by_id("skipped").text
    assert "the disk is full" in found.by_id("doubts").text


def test_compared_with_the_run_before_on_an_image_of_the_same_name(tmp_path: Path) -> None:
    before = made_runs.conclusion(
        made_runs.check("failed", "C3"),
        made_runs.check("failed", "C12", suite="chaos"),
        made_runs.check("passed", "D4", suite="dq"),
        started="2026-11-24T22:00:00+00:00",
        subject=Subject(
            image_name=made_runs.IMAGE.replace("1.5", "1.4"), image_id="i", profile_name="p", profile_sha256=""
        ),
    )
    before.write(tmp_path)
    put_away(tmp_path)
    said = first_screen(page(made_runs.failed(tmp_path)))
    assert "Since the run of 24 November 2026, 22:00 UTC (FAILED)" in said
    assert "newly broken C10, C13, D4;" in said
    assert "holds again C3;" in said
    assert "still broken C12;" in said


@every_run
def test_it_nests_its_links_lead_somewhere_and_its_ids_are_its_own(shown: Shown, made: Made) -> None:
    elements = shown(made).all()
    ids = [one.attributes["id"] for one in elements if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    targets = [one.attributes["href"] for one in elements if one.tag in ("a", "use")]
    assert {target[1:] for target in targets if target.startswith("#")} <= set(ids)
    labels = {name for one in elements for name in one.attributes.get("aria-labelledby", "").split()}
    assert labels <= set(ids)


@every_run
def test_who_cannot_see_it_can_find_the_way(shown: Shown, made: Made) -> None:
    found = shown(made)
    levels = [int(one.tag[1]) for one in found.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert found.all("html")[0].attributes["lang"] == "en"
    assert all("scope" in head.attributes for head in found.all("th"))
    assert all(table.all("th") for table in found.all("table"))
    assert all(svg.attributes.get("aria-label") for svg in found.all("svg"))
    assert all({"tabindex", "aria-label"} <= one.attributes.keys() for one in _scrolling(found))


def _scrolling(found: Element) -> list[Element]:
    return [one for one in found.all() if "scroll" in one.attributes.get("class", "").split()]


@every_run
def test_nothing_in_it_acts_or_is_loaded(shown: Shown, made: Made) -> None:
    elements = shown(made).all()
    assert not {one.tag for one in elements} & {
        "script",
        "img",
        "iframe",
        "object",
        "link",
        "form",
        "base",
        "foreignobject",
    }
    assert not [name for one in elements for name in one.attributes if name.startswith("on") or name == "src"]
    links = [one.attributes["href"] for one in elements if "href" in one.attributes]
    assert all(re.match(r"#|failures/", link) for link in links)
    (policy,) = [one.attributes["content"] for one in elements if one.attributes.get("http-equiv")]
    assert policy.startswith("default-src 'none'")


def test_what_a_container_sent_is_shown_as_it_came(tmp_path: Path) -> None:
    text = write_report(made_runs.hostile(tmp_path)).read_text(encoding="utf-8")
    assert not re.search("[\x00\x1b\u202e]", text)
    words = parse(text).text
    for part in (
        "<script>document.title=",
        "{{ 7 * 7 }}",
        r"\x00\x1b[2J\u202egnp.exe\ud800",
        "&amp;",
        "onerror=alert(1)",
    ):
        assert part in words


def test_page_of_700_failures_stays_small(tmp_path: Path) -> None:
    path = write_report(made_runs.huge(tmp_path))
    assert path.stat().st_size < 3_000_000
    found = parse(path.read_text(encoding="utf-8"))
    assert "It broke 38 rules" in first_screen(found)
    assert "more: see" in found.by_id("failures").text


def test_dead_container_that_fails_every_check_alike_is_shown_once(tmp_path: Path) -> None:
    alike = [made_runs.check("failed", "C1", name=f"contract/a.py::test_{n}", message="it is gone") for n in range(9)]
    made_runs.conclusion(*alike).write(tmp_path)
    broken = page(tmp_path).by_id("broken-1")
    assert [one.attributes["class"] for one in broken.all("details")] == ["failure", "others"]
    assert "8 more checks failed" in broken.text


def test_command_writes_it_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(made_runs.passed(tmp_path))]) == 0
    assert str(tmp_path / "report.html") in capsys.readouterr().out


def test_folder_without_a_verdict_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "holds no verdict" in capsys.readouterr().err


def test_verdict_keeps_what_utf8_cannot_say(tmp_path: Path) -> None:
    made_runs.hostile(tmp_path)
    assert json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))["image"]["name"] == made_runs.HOSTILE
