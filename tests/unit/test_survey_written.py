"""What a survey writes is a profile: it says the same when it is read again, whatever a server said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.contract.profile import DEFAULT_PROFILE, load_profile, problems
from harness.survey.findings import Findings
from harness.survey.routes import Route, described, of_models
from harness.survey.written import written

if TYPE_CHECKING:
    from harness.contract.profile import Profile

PROFILES = [DEFAULT_PROFILE, *sorted((Path(__file__).parents[2] / "fixtures" / "profiles").glob("*.toml"))]
NASTY = 'quotes " and \\, a line\nand [table]\x07\x7f \u00e9\u2028'


def again(findings: Findings, folder: Path) -> Profile:
    """Write it, check it, and read it again."""
    path = folder / "profile.toml"
    path.write_text(written(findings, subject="an image"), encoding="utf-8")
    assert problems(path) == []
    return replace(load_profile(path), sha256="")


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_that_was_written_says_the_same(path: Path, tmp_path: Path) -> None:
    profile = replace(load_profile(path), sha256="")
    assert again(Findings(profile=profile), tmp_path) == profile


def test_nothing_that_a_server_says_gets_out_of_its_comment(tmp_path: Path) -> None:
    found = Findings(profile=load_profile())
    found.leave_open(NASTY)
    found.blame("C10", NASTY)
    found.find("http.ping_path", f"/{NASTY}", NASTY)
    found.find("container.environment", {"A.B": NASTY, "C": ""}, NASTY)
    found.find("http.other_paths", tuple(f"/{place}/{NASTY}" for place in range(9)), NASTY)
    found.waive("C7", NASTY)
    profile = again(found, tmp_path)
    assert profile == replace(found.profile, sha256="")


def test_waived_rules_stand_in_the_contracts_order_and_keep_their_first_reason(tmp_path: Path) -> None:
    found = Findings(profile=load_profile())
    for rule_id in ("D10", "C9", "C11", "C9"):
        found.waive(rule_id, f"seen {len(found.profile.waived)}")
    assert again(found, tmp_path).waived == {"C9": "seen 1", "C11": "seen 2", "D10": "seen 0"}


def test_routes_are_read_from_a_description() -> None:
    description = (
        b'{"paths": {"/a": {"post": {"requestBody": {"content": {"application/json": {"schema": {"properties": '
        b'{"rows": {"type": "array"}, "n": {"type": "integer"}}}}}}}}, "/b": {"get": {}}, "/c/{id}": {"post": {}}}}'
    )
    assert described(description) == ([Route(path="/a", keys=("rows",))], ["/b"])
    for no_description in (b"", b"[]", b"null", b'{"paths": []}', b'{"paths": {"/a": null}}', b"\xff", b"[" * 9_999):
        assert described(no_description)[0] == []


def test_models_are_read_from_a_list() -> None:
    assert [route.path for route in of_models(b'[{"name": "m"}]')] == ["/v2/models/m/infer", "/v1/models/m:predict"]
    assert [route.path for route in of_models(b'{"models": ["m"]}')] == ["/v2/models/m/infer", "/v1/models/m:predict"]
    assert list(of_models(b'[{"name": "../x"}, 7, {}]')) == []
    assert list(of_models(b"no")) == []


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--sut-image", "a", "--sut-url", "http://b"], 4, "exclude each other"),
        (["--sut-url", "b:80"], 4, "must begin with http://"),
        (["--sut-url", "http://127.0.0.1:9", "--output", "{there}"], 4, "is there already"),
        (["--sut-url", "http://127.0.0.1:9", "--output", "{there}/x/p.toml"], 4, "there is no folder"),
        (["--sut-url", "http://127.0.0.1:9", "--sut-profile", "{there}"], 4, "is missing"),
        (["--sut-url", "http://127.0.0.1:9", "--sut-profile", "{hasty}"], 2, "nothing answers at http://127.0.0.1:9"),
    ],
)
def test_what_cannot_be_looked_at_is_one_sentence(
    arguments: list[str], status: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there, hasty = tmp_path / "there.toml", tmp_path / "hasty.toml"
    there.write_text("schema = 1\n", encoding="utf-8")
    text = DEFAULT_PROFILE.read_text(encoding="utf-8")
    hasty.write_text(
        text.replace("hang_s = 15", "hang_s = 0").replace("budget_s = 1\n", "budget_s = 0\n"), encoding="utf-8"
    )
    assert main(["profile", "init", *(one.format(there=there, hasty=hasty) for one in arguments)]) == status
    heard = capsys.readouterr()
    assert heard.out == ""
    assert said in heard.err
    assert heard.err.count("\n") == 1
