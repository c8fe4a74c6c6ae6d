"""`harness audit data`: what it prints, writes and ends with."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from matplotlib.figure import Figure

from fixtures.audit_data.corpus import Case, Corpus
from harness.audit.data_audit import audit_data
from harness.cli import main
from harness.contract.profile import load_profile
from tests.unit import made_runs
from tests.unit.parsed_html import parse

if TYPE_CHECKING:
    from pathlib import Path

GOOD = Case(name="good", finds="", severity="")
BAD = Case(name="bad", finds="", severity="", order="i DESC")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Make the good data sets once."""
    return Corpus(end_s=int(time.time()))


def test_text_says_what_blocks_first_and_ends_with_the_decision(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "data", str(corpus.write(BAD, tmp_path))]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "BLOCKS   order.newest_first"
    assert lines[-1].startswith("data ")
    assert ": blocked (1 blocks, " in lines[-1]


def test_json_stands_alone_on_standard_output(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, folder = corpus.write(GOOD, tmp_path), tmp_path / "report"
    assert main(["audit", "data", str(path), "--format", "json", "--report-dir", str(folder)]) == 0
    said = capsys.readouterr()
    content = json.loads(said.out)
    assert content["decision"] == "nothing blocks"
    assert {finding["severity"] for finding in content["findings"]} == {"warns", "informs"}
    assert json.loads((folder / "audit-data.json").read_text(encoding="utf-8")) == content
    assert said.err == ""


def test_a_folder_without_a_run_gets_a_page_of_the_audit_alone(corpus: Corpus, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    assert main(["audit", "data", str(corpus.write(BAD, tmp_path)), "--report-dir", str(folder)]) == 1
    text = (folder / "report.html").read_text(encoding="utf-8")
    section = parse(text).by_id("audit-data")
    assert "blocked" in section.all("h2")[0].text
    assert "order.newest_first" in section.all("tbody")[0].all("tr")[0].text
    assert section.all("svg")[0].attributes["role"] == "img"
    assert "http://" not in text.replace("http://www.w3.org/", "")
    assert "<script" not in text


def test_a_folder_with_a_run_shows_the_audit_in_its_report_drawn_once(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, drawn = made_runs.passed(tmp_path / "run"), list[Figure]()
    savefig = Figure.savefig

    def counted(figure: Figure, *place: Any, **how: Any) -> None:  # noqa: ANN401 - as matplotlib has it
        drawn.append(figure)
        savefig(figure, *place, **how)

    monkeypatch.setattr(Figure, "savefig", counted)
    assert main(["audit", "data", str(corpus.write(GOOD, tmp_path)), "--report-dir", str(folder)]) == 0
    assert len(drawn) == 2  # the run's one experiment, and the audit
    found = parse((folder / "report.html").read_text(encoding="utf-8"))
    assert "PASSED" in found.all("header")[0].text
    assert found.by_id("audit-data").all("table")
    assert any(link.attributes["href"] == "#audit-data" for link in found.all("nav")[0].all("a"))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("no.csv", None, "cannot be read: No such file or directory"),
        ("empty.csv", b"", "is empty"),
        ("image.png", b"\x89PNG\r\n\x1a\n\0\0\0", "is neither CSV nor Parquet"),
        ("cut.parquet", b"PAR1 and no more", "begins as Parquet, and cannot be read as such"),
        ("other.csv", b"time_period_start;price_close\n1;2\n", "separated by semicolons: write it with commas"),
        ("twice.csv", b"price_close,price_close\n1,2\n", "has two columns 'price_close'"),
        ("header.csv", b"time_period_start,price_close\n", "holds no rows"),
        ("latin.csv", b"time_period_start,preis_\xe4\n1,2\n", "is neither CSV nor Parquet"),
    ],
)
def test_what_is_no_table_cannot_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert main(["audit", "data", str(tmp_path / name)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert name in said.err
    assert says in said.err
    assert said.err.count("\n") == 1


def test_json_says_why_it_could_not_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "data", str(tmp_path / "no.csv"), "--format", "json"]) == 2
    content = json.loads(capsys.readouterr().out)
    assert content["decision"] == "could not tell"
    assert "No such file" in content["untold"][0]


def test_rows_without_a_start_block_and_leave_much_untold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prices.csv").write_text("price_close\n1.5\n1.6\n", encoding="utf-8")
    assert main(["audit", "data", str(tmp_path / "prices.csv")]) == 1
    said = capsys.readouterr().out
    assert "fields.missing" in said
    assert "UNTOLD   No row has a start that can be read" in said


@pytest.mark.parametrize("arguments", [[], ["x.csv", "--format", "xml"], ["x.csv", "--price-now", "-1"]])
def test_wrong_usage_ends_with_4(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "data", *arguments])
    assert ended.value.code == 4


def test_a_bad_profile_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.toml").write_text("schema = 9", encoding="utf-8")
    assert main(["audit", "data", "x.csv", "--sut-profile", str(tmp_path / "bad.toml")]) == 4
    assert "bad.toml" in capsys.readouterr().err


def test_what_goes_on_is_shown_with_what_is_left(corpus: Corpus, tmp_path: Path) -> None:
    shown: list[str] = []
    audit_data([corpus.write(GOOD, tmp_path)], load_profile(), show=shown.append)
    assert shown[:2] == ["reading", "looking at every row"]
    assert any("done; still " in line and "hours" in line for line in shown)
