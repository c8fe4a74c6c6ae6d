"""`harness audit model` on the command line: over HTTP, as JSON, and what makes no sense."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

import pytest

from fixtures.audit_models.server import serving
from harness.audit.model.interval import interval_of
from harness.audit_model_command import add_audit_model
from harness.contract.profile import load_profile
from harness.contract.records import SECOND_NS, build, to_csv
from harness.contract.series import generate
from tests.unit import made_runs
from tests.unit.parsed_html import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERIES = generate(seed=22, seconds=300, level=30_000.0)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "btc.csv"
    path.write_bytes(to_csv(build(load_profile().window, SERIES, end_ns=1_790_000_000 * SECOND_NS)))
    return path


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_audit_model(parser)
    chosen = parser.parse_args([str(argument) for argument in arguments])
    status: int = chosen.run(chosen)
    return status


def test_json_alone_is_on_the_standard_output_and_kept(
    url: str, history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = "--sut-url", f"{url}/dead_relu", "--history", history
    assert run(*where, "--windows", 200, "--format", "json", "--report-dir", tmp_path) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["decision"], found["subject"]) == ("blocked", "model")
    assert found == json.loads((tmp_path / "audit-model.json").read_text())
    assert "output.constant" in {finding["id"] for finding in found["findings"]}
    drawing = parse((tmp_path / "report.html").read_text(encoding="utf-8")).by_id("audit-model").all("svg")[0]
    assert drawing.attributes["role"] == "img"
    assert "error beside persistence's by regime" in drawing.attributes["aria-label"]


def test_a_good_model_ends_with_0_and_is_told_in_words(
    url: str, history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--sut-url", f"{url}/half_way_back", "--history", history, "--windows", 200) == 0
    shown = capsys.readouterr()
    assert "half_way_back: nothing blocks (0 blocks" in shown.out
    assert "asking   jumps" in shown.err


def test_where_nobody_answers_it_could_not_tell(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--sut-url", "http://127.0.0.1:9", "--history", history) == 2
    assert "nobody answers at http://127.0.0.1:9" in capsys.readouterr().out.replace("\n         ", " ")


def test_a_verdict_beside_the_report_answers_the_checklist(
    url: str, history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_runs.failed(tmp_path)
    assert (
        run("--sut-url", f"{url}/half_way_back", "--history", history, "--windows", 200, "--report-dir", tmp_path) == 1
    )
    assert "readiness.security.no_debugger" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (["--history", "nowhere.csv"], "nowhere.csv"),
        (["--sut-profile", "nowhere.toml"], "cannot be read"),
        (["--verdict", "nowhere.json"], "is no verdict.json"),
    ],
)
def test_what_cannot_be_read_is_wrong_usage(
    extra: list[str], says: str, history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--sut-url", "http://127.0.0.1:9", "--history", history, *extra) == 4
    shown = capsys.readouterr()
    assert says in shown.err
    assert shown.err.count("\n") == 1
    assert not shown.out


def test_a_folder_without_a_model_is_wrong_usage(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--saved-model", tmp_path, "--history", history) == 4
    assert "name the folder of one version" in capsys.readouterr().err


def test_an_interval_is_read_by_its_usual_names() -> None:
    of = interval_of
    assert of({"prediction": 1}) is None
    for content in ({"interval": {"low": 1, "high": 3, "level": 95}}, {"lower": 1, "upper": 3, "confidence": 0.95}):
        found = of(content)
        assert found is not None
        assert (found.low, found.high, found.level) == (1, 3, 0.95)
