"""Flaws are what they say: JSON or not, ragged or not, at any place, and each leaves a trace in the bytes."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from harness.contract.data_rules import broken_rules
from harness.contract.malformed import ANSWERED, MALFORMED, NO_UTF_8, Flaw, is_json
from harness.contract.malformed_csv import BROKEN_CSV, DOUBTFUL_CSV, NO_CSV, ODD_CSV, csv_flaws
from harness.contract.malformed_json import DOUBTFUL_JSON, NO_JSON, ODD_JSON, json_flaws
from harness.contract.profile import load_profile
from harness.contract.records import Window, build, encode, last_whole_second_ns
from harness.contract.series import generate

if TYPE_CHECKING:
    from harness.contract.profile import WindowRule

RULE = load_profile().window
NOW_S = 1_790_000_000.25
GOOD = build(RULE, generate(seed=1, seconds=RULE.records), end_ns=last_whole_second_ns(NOW_S))
ALL_NO_JSON = [flaw for flaws in NO_JSON.values() for flaw in flaws]
ALL_NO_CSV = [flaw for flaws in NO_CSV.values() for flaw in flaws]
ALL_BROKEN_CSV = [flaw for flaws in BROKEN_CSV.values() for flaw in flaws]
SOME = settings(max_examples=60, database=None)


def body(flaw: Flaw) -> bytes:
    return flaw.of(RULE, encode(RULE, GOOD, flaw.codec))


def is_ragged(content: bytes) -> bool:
    """Read CSV that holds no quotes, strictly: every row as wide as the header."""
    header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    return any(len(row) != len(header) for row in rows)


def is_no_csv(content: bytes) -> bool:
    try:
        return not content or is_ragged(content)
    except UnicodeDecodeError:
        return True


@pytest.mark.parametrize("flaw", [flaw for flaw in ALL_NO_JSON if "deep" not in flaw.says], ids=repr)
def test_no_json_is_no_json_object(flaw: Flaw) -> None:
    content = body(flaw)
    assert not is_json(content) or not isinstance(json.loads(content), dict)


FORMS = [
    RULE,
    replace(RULE, json="split"),
    replace(RULE, json="rows"),
    replace(RULE, json="rows", batch=True, columns=("price_close",)),
    *(replace(RULE, json="columns", batch=batch) for batch in (False, True)),
    *(replace(RULE, json="v2", batch=batch) for batch in (False, True)),
    replace(RULE, json="tensor", columns=("price_close", "price_open")),
    replace(RULE, json="tensor", batch=True),
]


@pytest.mark.parametrize("rule", FORMS, ids=lambda rule: f"{rule.json}{', a batch' if rule.batch else ''}")
def test_in_every_form_no_json_is_no_json_object_and_odd_json_says_the_same(rule: WindowRule) -> None:
    good = encode(rule, GOOD)
    kept = [flaw for flaw in (*ALL_NO_JSON, *DOUBTFUL_JSON, *ODD_JSON) if flaw.is_of(rule)]
    assert len(kept) > 0.9 * len([*ALL_NO_JSON, *DOUBTFUL_JSON])
    for flaw in kept:
        content = flaw.of(rule, good)
        assert content != good, flaw
        if flaw.statuses == MALFORMED and "deep" not in flaw.says:
            assert not is_json(content) or not isinstance(json.loads(content), dict), flaw
        if flaw.statuses == ANSWERED and rule.json != "records":
            assert json.loads(content) == json.loads(good), flaw

    @SOME
    @given(flaw=json_flaws(rule))
    def check(flaw: Flaw) -> None:
        assert flaw.is_of(rule)
        assert not is_json(flaw.of(rule, good))

    check()


def test_what_says_nothing_in_a_form_is_not_sent_in_it() -> None:
    by_form = {rule.json: {flaw.says for flaw in ALL_NO_JSON if flaw.is_of(rule)} for rule in FORMS}
    assert by_form["records"] == {flaw.says for flaw in ALL_NO_JSON}
    assert by_form["records"] - by_form["v2"] == {"the records alone"}
    assert {"an empty array", "no comma between fields"} <= by_form["records"] - by_form["rows"]
    assert not any(flaw.is_of(replace(RULE, codecs=("csv",))) for flaw in ALL_NO_JSON)
    assert not any(flaw.is_of(replace(RULE, csv="multipart")) for flaw in ALL_NO_CSV)


@SOME
@given(flaw=json_flaws(RULE))
def test_json_broken_anywhere_is_no_json(flaw: Flaw) -> None:
    assert not is_json(body(flaw))
    assert flaw.statuses == MALFORMED


@pytest.mark.parametrize("flaw", ALL_NO_CSV, ids=repr)
def test_no_csv_is_ragged_or_no_text(flaw: Flaw) -> None:
    assert is_no_csv(body(flaw))


@SOME
@given(flaw=csv_flaws(RULE))
def test_csv_broken_anywhere_is_no_csv_or_no_whole_window(flaw: Flaw) -> None:
    content = body(flaw)
    if flaw.statuses == MALFORMED:
        assert is_no_csv(content)
    elif flaw.rule in ("D2", "D5"):
        assert not is_ragged(content)
        assert flaw.rule in broken_rules(RULE, read(content), now_s=NOW_S)


@pytest.mark.parametrize("flaw", [flaw for flaw in ALL_BROKEN_CSV if flaw.rule != "C9"], ids=repr)
def test_broken_csv_breaks_its_rule(flaw: Flaw) -> None:
    assert flaw.rule in broken_rules(RULE, read(body(flaw)), now_s=NOW_S)


@pytest.mark.parametrize("flaw", ODD_JSON, ids=repr)
def test_odd_json_is_a_good_window(flaw: Flaw) -> None:
    content = body(flaw)
    assert is_json(content)
    assert content != encode(RULE, GOOD, "json")
    assert known(json.loads(content)[RULE.key]) == [dict(record) for record in GOOD.records]


@pytest.mark.parametrize("flaw", ODD_CSV, ids=repr)
def test_odd_csv_is_a_good_window(flaw: Flaw) -> None:
    assert body(flaw) != encode(RULE, GOOD, "csv")
    assert broken_rules(RULE, read(body(flaw)), now_s=NOW_S) == set()


@pytest.mark.parametrize("flaw", [*DOUBTFUL_JSON, *DOUBTFUL_CSV, *ALL_BROKEN_CSV], ids=repr)
def test_what_is_doubtful_is_no_good_body_and_may_be_refused(flaw: Flaw) -> None:
    assert body(flaw) != encode(RULE, GOOD, flaw.codec)
    assert flaw.statuses != ANSWERED


@pytest.mark.parametrize("bad", NO_UTF_8)
def test_no_utf_8_is_none(bad: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        (b"a%sb" % bad).decode("utf-8")


@pytest.mark.parametrize("text", ["NaN", "01", "+1", ".5", "1.", "[1,]", '"\t"', '"\\x41"', "\ufeff1", "1 2", ""])
def test_the_oracle_is_strict(text: str) -> None:
    assert not is_json(text.encode())


def test_words_say_which_flaw_it_is() -> None:
    assert repr(ODD_CSV[0]) == "csv: lines that end in CRLF"


def known(records: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: value for name, value in record.items() if name in RULE.fields} for record in records]


def read(content: bytes) -> Window:
    """Read CSV as the contract has it: what is a JSON number is one, an empty cell is nothing."""
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return Window(records=tuple({name: value(name, cell) for name, cell in row.items()} for row in rows))


def value(name: str, cell: str) -> object:
    if name not in RULE.of_kind("number", "integer"):
        return cell or None
    found = json.loads(cell) if is_json(cell.encode()) else None
    return found if isinstance(found, (int, float)) else cell or None
