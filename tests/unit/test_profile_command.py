"""`harness profile`: keys explained, mistakes named all at once, and a schema for editors, all of one source."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from harness.cli import main
from harness.contract.explanation import entries, schema
from harness.contract.profile import DEFAULT_PROFILE
from harness.contract.rules import RULES

ROOT = Path(__file__).parents[2]
PROFILES = [DEFAULT_PROFILE, *sorted((ROOT / "fixtures" / "profiles").glob("*.toml"))]
VALIDATE = fastjsonschema.compile(schema())
SPOILED = [
    ("budget_s = 1\n", "budgt_s = 1\n", "unknown key `budgt_s` in `[http]`, did you mean `budget_s`?"),
    ("ready_s = 60", 'ready_s = "60s"', "`container.ready_s` must be a number, got '60s'"),
    ("port = 8080", "port = 80.5", "`container.port` must be a whole number, got 80.5"),
    ("records = 60", "records = -60", "`window.records` must be a whole number, 0 or more, got -60"),
    ('kind = "integer"', 'kind = "int"', "`window.fields.trades_count.kind` must be one of"),
    ('name = "btc-next-second"', "", "`name` is missing"),
    ('arguments = ["serve"]', 'arguments = "serve"', "`container.arguments` must be an array, got 'serve'"),
]


def spoiled(*changes: tuple[str, str, str]) -> str:
    text = DEFAULT_PROFILE.read_text(encoding="utf-8")
    for old, new, _ in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_every_mistake_is_named_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(spoiled(*SPOILED), encoding="utf-8")
    assert main(["profile", "check", str(path)]) == 4
    told = capsys.readouterr().out.splitlines()
    assert len(told) == len(SPOILED)
    for _, _, says in SPOILED:
        assert any(line.startswith(f"{path}: ") and says in line for line in told), says


def test_every_contradiction_is_named_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = [
        ("hang_s = 15", "hang_s = 0.5", "what is still in time does not hang"),
        ('ping_path = "/ping"', 'ping_path = "ping"', "must begin with a slash"),
        ('prediction = "prediction"', 'prediction = "predictions[first]"', "is no path"),
        ('body = "error"', 'body = "any"', "make it false"),
        ("malformed = [400]", "malformed = [200]", "must be statuses from 400 to 599"),
        ("csv_share = 0.5", "csv_share = 50", "must be a share from 0 to 1"),
        ("[waived]", '[waived]\nC99 = "why"\nC7 = ""', "is no rule"),
    ]
    path = tmp_path / "wrong.toml"
    path.write_text(spoiled(*changes), encoding="utf-8")
    assert main(["profile", "check", str(path)]) == 4
    told = capsys.readouterr().out
    assert all(says in told for _, _, says in changes)
    assert "`C7` in `[waived]` has no reason" in told


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_the_profiles_here_are_right(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "check", str(path)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out
    VALIDATE(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("change", SPOILED, ids=lambda change: change[2][:40])
def test_the_schema_refuses_what_the_check_refuses(change: tuple[str, str, str]) -> None:
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        VALIDATE(tomllib.loads(spoiled(change)))


def test_the_schema_is_printed_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema()


def test_every_key_is_explained_with_rules_that_there_are() -> None:
    for entry in entries():
        assert entry.says, entry
        assert entry.checks, entry
        assert not {
            word.strip(",:") for word in entry.checks.split() if word[:1] in "CDP" and word[1:2].isdigit()
        } - set(RULES), entry


def test_every_key_of_the_default_profile_is_explained_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    table: dict[str, Any] = tomllib.loads(DEFAULT_PROFILE.read_text(encoding="utf-8"))
    known = {(entry.place, entry.name): entry for entry in entries()}
    for place in ("container", "http", "answer", "refusals", "prediction", "load", "chaos", "monitor", "release"):
        for name, value in table[place].items():
            assert (place, name) in known
            if not isinstance(value, dict | str | list):
                assert float(known[place, name].default.replace("true", "1")) == float(value), (place, name)
    assert main(["profile", "explain"]) == 0
    told = capsys.readouterr().out
    assert all(f"\n[{place}]" in told for place in table if isinstance(table[place], dict) and place != "waived")
    assert all(f"\n{rule_id} " in told for rule_id in RULES)


def test_some_keys_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "explain", "csv_share"]) == 0
    assert capsys.readouterr().out.startswith("[load]\ncsv_share (number, share of 1, default 0.5)\n")
    assert main(["profile", "explain", "nonsense"]) == 4
    assert "`harness profile explain` lists all" in capsys.readouterr().err
