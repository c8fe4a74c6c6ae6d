"""`harness load` on the command line: times, what excludes each other, and silence where nobody looks."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.contract.profile import DEFAULT_PROFILE
from harness.load.run import Crew
from harness.load.soak import lap_s
from harness.load_arguments import seconds
from harness.report.progress_line import ProgressLine
from tests.unit.test_load_known_truth import serving

if TYPE_CHECKING:
    from pathlib import Path


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(("text", "wanted"), [("90", 90), ("90s", 90), ("1.5m", 90), ("15m", 900), ("1h", 3_600)])
def test_times_are_read_with_their_unit(text: str, wanted: float) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["0", "-3s", "1d", "soon", "1h30m", ""])
def test_what_is_no_time_is_wrong_usage(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["load", f"--soak={text}"])
    assert ended.value.code == 4
    assert "--soak" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--master", "--search"], "a search and a page steer one generator"),
        (["--master", "--ui"], "a search and a page steer one generator"),
        (["--master", "--master-host", "0.0.0.0"], "a sut that they can reach: --sut-url"),  # noqa: S104 - refused
        (["--sut-history", "nowhere.csv"], "nowhere.csv"),
        (["--sut-profile", "nowhere.toml"], "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["load", *arguments]) == 4
    assert says in capsys.readouterr().out


@pytest.mark.parametrize("pair", [["--search", "--ui"], ["--soak=1m", "--worker"], ["--sut-url=x", "--sut-image=y"]])
def test_one_way_to_load_at_a_time(pair: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["load", *pair])
    assert ended.value.code == 4


def test_progress_is_one_line_on_a_terminal_and_nothing_elsewhere() -> None:
    piped, terminal = io.StringIO(), Terminal()
    for stream in (piped, terminal):
        line = ProgressLine(stream)
        line.show("1 of 9 s")
        line.show("x" * 500)
        line.clear()
    assert piped.getvalue() == ""
    assert terminal.getvalue().startswith("\r\x1b[2K1 of 9 s\r\x1b[2Kxxx")
    assert "\n" not in terminal.getvalue()
    assert terminal.getvalue().count("x") < 500


def test_a_soak_has_laps_enough_to_see_growth_and_none_longer_than_a_minute() -> None:
    assert (lap_s(20), lap_s(600), lap_s(3_600)) == (2, 60, 60)


def test_a_master_begins_when_its_workers_are_there() -> None:
    options = Crew(workers=3, port=7_000).options
    assert options[:5] == ["--master", "--expect-workers", "3", "--users", "3"]
    assert options[-4:] == ["--master-bind-host", "127.0.0.1", "--master-bind-port", "7000"]


def test_json_alone_is_on_the_standard_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    profile = tmp_path / "soon.toml"
    profile.write_text(DEFAULT_PROFILE.read_text().replace("warm_up_s = 2", "warm_up_s = 0.1"))
    with serving() as url:
        options = ["--sut-url", url, "--sut-profile", str(profile), "--report-dir", str(tmp_path)]
        status = main(["load", *options, "--rate", "400", "--duration", "1s", "--format", "json"])
    found = json.loads(capfd.readouterr().out)
    assert found["figures"]["offered_per_s"] == pytest.approx(400)
    assert (tmp_path / "load" / "load.png").stat().st_size > 10_000
    assert status == {"PASSED": 0, "UNKNOWN": 2}[found["verdict"]]  # a busy machine may spoil the times
