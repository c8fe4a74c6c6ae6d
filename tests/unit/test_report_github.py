"""What GitHub's runner is told, and what it must never take from a container."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.report.github import commands, deaf, write_summary
from harness.report.report import read_page
from tests.unit import made_runs
from tests.unit.parsed_html import parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Made = Callable[[Path], Path]


def said(folder: Path) -> list[str]:
    return list(commands(read_page(folder)))


def test_each_broken_rule_is_an_error(tmp_path: Path) -> None:
    found = said(made_runs.failed(tmp_path))
    titles = [line.partition("::")[2].partition("::")[0] for line in found]
    assert titles == [f"error title={name} is broken" for name in ("C10", "C12", "C13", "D4", "no rule")]
    assert found[3].startswith(
        "::error title=D4 is broken::A null or an empty cell MUST be refused.%0AExpected status 422"
    )


@pytest.mark.parametrize(
    ("made", "begins"),
    [
        (made_runs.passed, "::notice title=PASSED::registry.example:5000/team/price:1.5 may be promoted."),
        (made_runs.unknown, "::error title=UNKNOWN::The image must not be promoted"),
        (made_runs.cut_short, "::error title=UNKNOWN::registry.example"),
    ],
)
def test_any_other_verdict_is_one_line(made: Made, begins: str, tmp_path: Path) -> None:
    (line,) = said(made(tmp_path))
    assert line.startswith(begins)


def test_no_more_errors_than_a_step_shows(tmp_path: Path) -> None:
    found = said(made_runs.huge(tmp_path, checks=100))
    assert len(found) == 10
    assert found[-1].startswith("::error title=29 more rules are broken::")


def test_nothing_of_a_container_becomes_a_command(tmp_path: Path) -> None:
    for line in said(made_runs.hostile(tmp_path)):
        assert len(line.splitlines()) == 1
        assert re.fullmatch(r"::error title=[^:,\r\n]*::.*", line)
        assert "\x1b" not in line


def test_percent_colon_and_comma_are_escaped(tmp_path: Path) -> None:
    made_runs.conclusion(made_runs.check("failed", "C3", message="100 %, at 10:30\nand more")).write(tmp_path)
    (line,) = said(tmp_path)
    assert line.endswith("%0A100 %25, at 10:30 and more%0A1 of 1 checks failed.")


def test_summary_is_added_to_the_jobs_and_holds_no_blank_line_that_markdown_would_read(tmp_path: Path) -> None:
    sheet = tmp_path / "summary.md"
    sheet.write_text("before\n")
    page = read_page(made_runs.hostile(tmp_path / "run"))
    write_summary(page, {"GITHUB_STEP_SUMMARY": str(sheet)})
    text = sheet.read_text()
    assert text.startswith("before\n")
    assert not re.search(r"\n\s*\n", text.removeprefix("before\n"))
    tags = {element.tag for element in parse(text).all()}
    assert tags <= {"h2", "p", "code", "b", "table", "tr", "th", "td", "ul", "li", "details", "summary"}


def test_without_a_runner_there_is_no_summary(tmp_path: Path) -> None:
    write_summary(read_page(made_runs.passed(tmp_path / "run")), {})
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_runner_obeys_nothing_between_two_words_that_nobody_can_guess() -> None:
    assert deaf("0123") == ("::stop-commands::0123", "::0123::")


def test_gate_tells_the_runner_when_it_was_deaf_and_what_became_of_the_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens there: the run cannot tell, and says so."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    options = ["--sut-url=http://127.0.0.1:9", "--suite=load", "--sut-alerts=off", "--github"]
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing_is_called_so")
    assert main(["gate", *options, f"--report-dir={tmp_path / 'gate'}"]) == 2
    lines = capfd.readouterr().out.splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert lines.index(f"::{token}::") < next(
        n for n, line in enumerate(lines) if line.startswith("::error title=UNKNOWN")
    )
    assert "UNKNOWN" in (tmp_path / "summary.md").read_text()
    assert "UNKNOWN" in (tmp_path / "gate" / "report.html").read_text()
