"""C9, C10, D2, D4, D5, R1: bodies that are not what their type says, that are it in an odd way, and in between."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract.judge import OK, UNPROCESSABLE, Violation, demand, judge_prediction, judge_refusal, shown
from harness.contract.malformed import ANSWERED, Flaw
from harness.contract.malformed_csv import BROKEN_CSV, DOUBTFUL_CSV, NO_CSV, ODD_CSV, csv_flaws
from harness.contract.malformed_json import DOUBTFUL_JSON, NO_JSON, ODD_JSON, json_flaws
from harness.contract.records import content_type, encode
from harness.contract.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.contract.profile import Profile
    from harness.contract.records import Window
    from harness.system.client import Answer, Client, Exchange

pytestmark = pytest.mark.contract

_DIMENSIONS = {dimension for rule in RULES.values() for dimension in rule.dimensions}


BROKEN_BODIES = {
    **{f"json, {family}": flaws for family, flaws in NO_JSON.items()},
    **{f"csv, {family}": flaws for family, flaws in NO_CSV.items()},
}


@pytest.mark.rule("C9", "C10", "R1")
@pytest.mark.parametrize("flaws", BROKEN_BODIES.values(), ids=BROKEN_BODIES.keys())
def test_what_is_not_what_its_type_says_is_400(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], flaws: tuple[Flaw, ...]
) -> None:
    """A body that is not what its type says MUST get 400, and the good window after it its 200."""
    _demand(client, profile, fresh_window(), flaws)


@pytest.mark.rule("C9", "C10", "D2", "D5", "R1")
def test_a_body_broken_anywhere_is_refused(
    client: Client, profile: Profile, fresh_window: Callable[[], Window]
) -> None:
    """A body that is not what its type says, or no whole window, MUST be refused wherever it broke."""
    rule = profile.window
    kinds = [
        *([json_flaws(rule)] if "json" in rule.codecs else []),
        *([csv_flaws(rule)] if "csv" in rule.codecs and rule.csv == "body" else []),
    ]
    if not kinds:
        pytest.skip("the profile promises no JSON and no plain CSV to break")

    @given(flaw=st.one_of(kinds))
    def check(flaw: Flaw) -> None:
        _demand(client, profile, fresh_window(), [flaw])

    check()


@pytest.mark.rule("C9", "C10", "D2", "D4", "D5", "R1")
@pytest.mark.parametrize("flaws", BROKEN_CSV.values(), ids=BROKEN_CSV.keys())
def test_csv_that_is_no_whole_window_is_refused(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], flaws: tuple[Flaw, ...]
) -> None:
    """A stray quote MUST get 400 or 422; rows that are missing, and a cell that is no number, MUST get 422."""
    _demand(client, profile, fresh_window(), flaws)


@pytest.mark.rule("C9", "C10", "C13", "R1")
@pytest.mark.parametrize("flaw", [*DOUBTFUL_JSON, *DOUBTFUL_CSV], ids=repr)
def test_what_parsers_differ_over_is_read_or_refused(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], flaw: Flaw
) -> None:
    """What good parsers differ over MUST be read or refused: it is no reason to fail, nor to hang."""
    _demand(client, profile, fresh_window(), [flaw])


@pytest.mark.rule("R1")
@pytest.mark.parametrize("flaw", [*ODD_JSON, *ODD_CSV], ids=repr)
def test_a_good_window_written_oddly_is_answered(
    client: Client, profile: Profile, fresh_window: Callable[[], Window], flaw: Flaw
) -> None:
    """A good window MUST NOT be refused, however its type allows it to be written."""
    _demand(client, profile, fresh_window(), [flaw])


def _demand(client: Client, profile: Profile, window: Window, flaws: Sequence[Flaw]) -> None:
    """Send the flawed bodies, then the good window: those get what they deserve, this its 200."""
    flaws = [flaw for flaw in flaws if flaw.is_of(profile.window)]
    if not flaws:
        pytest.skip("such flaws are those of codecs, or of forms, that the profile does not promise")
    broken: list[Violation] = []
    first: Exchange | None = None
    for flaw in flaws:
        body = flaw.of(profile.window, encode(profile.window, window, flaw.codec))
        exchange = client.invoke(body, content_type(profile.window, flaw.codec))
        found = _judge(flaw, exchange.answer, window, profile)
        broken += [replace(each, expected=f"{each.expected} to {flaw!r}") for each in found]
        first = exchange if found and first is None else first
    after = client.predict(window, flaws[-1].codec)
    wrong = Violation(rule="R1", expected=f"200 to a good window after {flaws[-1]!r}", actual=shown(after.answer))
    demand([*broken, *([] if after.answer.status == OK else [wrong])], first or after)


def _judge(flaw: Flaw, answer: Answer, window: Window, profile: Profile) -> list[Violation]:
    if flaw.statuses == ANSWERED:
        return judge_prediction(window, answer, profile)
    if answer.status == OK and OK in flaw.statuses:
        # How it read what it may read or not shows in the numbers; what an answer always has does not depend on that.
        return [each for each in judge_prediction(window, answer, profile) if each.rule in ("P0", "P1")]
    dimensions = _DIMENSIONS if answer.status == UNPROCESSABLE else ()
    return judge_refusal(answer, profile.refusals, rule=flaw.rule, status=flaw.statuses, dimensions=dimensions)
