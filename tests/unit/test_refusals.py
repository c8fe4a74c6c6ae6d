"""Whatever keeps an image from being started is one sentence with a way out, to whichever command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.contract.profile import DEFAULT_PROFILE
from harness.system.engine import reach
from harness.system.image import ImageForeign, ImageMissing, ensure_image, ensure_not_foreign, find_image_id
from tests.unit.stub_engine import answering

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = "team/prise"
NEAR = [{"RepoTags": ["team/price:latest"]}, {"RepoTags": None}]
FOREIGN = {"Id": "sha256:1", "RepoTags": ["team/price:latest"], "Os": "linux", "Architecture": "arm64"}
COMMANDS = {
    "load": ["load", "--sut-image", IMAGE],
    "chaos memory": ["chaos", "memory", "--sut-image", IMAGE],
    "compare": ["compare", "--champion", IMAGE, "--challenger", IMAGE],
    "endpoint up": ["endpoint", "up", "--config", "endpoint.toml"],
    "release": ["release", "--config", "endpoint.toml", "--challenger", IMAGE],
    "audit model": ["audit", "model", "--sut-image", IMAGE, "--history", "history.csv"],
}
every_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder that has what the commands name."""
    monkeypatch.chdir(tmp_path)
    profile = "default.toml"
    (tmp_path / profile).write_text(DEFAULT_PROFILE.read_text())
    (tmp_path / "endpoint.toml").write_text(f'profile = "{profile}"\n[[variants]]\nname = "a"\nimage = "{IMAGE}"\n')
    (tmp_path / "history.csv").write_text(_history())


def _history() -> str:
    fields = ("time_period_start", "time_period_end", "time_open", "time_close")
    prices = ("price_open", "price_high", "price_low", "price_close")
    rows = [",".join((*fields, *prices, "volume_traded", "trades_count"))]
    for second in range(3_600):
        begin, end = (
            f"2026-01-01T{at // 3600:02d}:{at // 60 % 60:02d}:{at % 60:02d}.0000000Z" for at in (second, second + 1)
        )
        rows.append(f"{begin},{end},{begin},{end},100,101,99,100,1,1")
    return "\n".join(rows) + "\n"


@pytest.fixture
def _stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have an engine that has one image, by another name, and reaches no registry."""
    with answering({"/images/json": NEAR}) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        yield


def said(capsys: pytest.CaptureFixture[str], sentence: str) -> str:
    """Return the line that says why, and see that it is said once and that nothing of our code is."""
    told = capsys.readouterr()
    both = told.out + told.err
    assert both.count(sentence) == 1, both
    assert "Traceback" not in both
    return next(line for line in both.splitlines() if sentence in line)


@every_command
def test_no_docker(command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert main(command) == 2
    line = said(capsys, "No Docker engine answers at /nowhere/docker.sock (No such file or directory)")
    assert "`unset DOCKER_HOST`" in line


@every_command
@pytest.mark.usefixtures("_stub")
def test_image_missing(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 2
    line = said(capsys, "there is no image 'team/prise' here, and it cannot be pulled (no such host)")
    assert "name 'team/price' if you meant that, build it with `docker build --tag team/prise .`" in line


@pytest.mark.parametrize(
    "command", [*COMMANDS.values(), ["monitor", "--sut-url=http://127.0.0.1:9", "--once"]], ids=" ".join
)
def test_profile_for_a_later_version(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    later = tmp_path / "default.toml"
    later.write_text(DEFAULT_PROFILE.read_text().replace("schema = 1", "schema = 2\nnew_key = true"))
    names_it = [] if "--config" in command else ["--sut-profile", str(later)]
    assert main([*command, *names_it]) == 4
    assert "update inference-harness" in said(capsys, "`schema` must be 1, got 2")


def test_profile_explain_tells_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "explain", "schema"]) == 0
    assert "default 1" in capsys.readouterr().out


def test_image_for_another_kind_of_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering({"/images/team/price/json": FOREIGN}) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        assert ensure_image("team/price") == find_image_id("team/price") == "sha256:1"
        with pytest.raises(ImageForeign, match=r"built for linux/arm64.*runs linux/amd64.*--platform linux/amd64"):
            ensure_not_foreign("team/price")
        with pytest.raises(ImageMissing):
            ensure_image("nowhere")
        assert find_image_id("nowhere") is None


def test_engine_of_a_docker_context_is_everybodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker's library, and processes of ours, know of DOCKER_HOST alone."""
    with answering({}) as address:
        monkeypatch.setenv("DOCKER_HOST", "to be restored")
        monkeypatch.delenv("DOCKER_HOST")
        monkeypatch.setattr("harness.system.daemon.Machine.engine_address", lambda _: address)
        reach().client.close()
        assert os.environ["DOCKER_HOST"] == address
