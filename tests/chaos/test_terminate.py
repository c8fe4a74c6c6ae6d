"""C12, C4, C3, C18, P2, P6: the container gets SIGTERM while requests are in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.experiment.judge import ANSWER_RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.experiment.judge import Judgement

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def judgement(judgement_under: Callable[[str], Judgement]) -> Judgement:
    """Run the one experiment and judge its record."""
    return judgement_under("stop")


@pytest.mark.rule("C12")
def test_it_answers_what_is_in_flight_refuses_what_is_new_and_exits_with_0(judgement: Judgement) -> None:
    """On SIGTERM it MUST answer what is in flight, refuse new connections and exit with 0 within 30 s."""
    judgement.demand("C12")


@pytest.mark.rule("C4")
def test_it_serves_again_after_a_plain_start(judgement: Judgement) -> None:
    """It MUST be ready within 60 s when the same container is started again."""
    judgement.demand("C4", "C17")


@pytest.mark.rule("C3")
def test_ping_tells_the_truth(judgement: Judgement) -> None:
    """GET /ping MUST be 200 only while an invocation can be answered, before, during and after the fault."""
    judgement.demand("C3")


@pytest.mark.rule("P2")
def test_the_same_window_gets_the_same_prediction(judgement: Judgement) -> None:
    """The same window MUST get the same prediction, after the fault as before it."""
    judgement.demand("P2")
    if judgement.not_compared:
        pytest.skip(judgement.not_compared)


@pytest.mark.rule("P6")
def test_no_answer_shows_another_request(judgement: Judgement) -> None:
    """Nothing of one request MAY show in another's answer, fault or not."""
    judgement.demand("P6")


@pytest.mark.rule("C18")
def test_it_exits_only_when_told(judgement: Judgement) -> None:
    """It MUST NOT exit unless it is told to."""
    judgement.demand("C18")


@pytest.mark.rule(*ANSWER_RULES)
def test_no_answer_is_ever_wrong(judgement: Judgement) -> None:
    """A good window MUST be answered rightly or not at all, and an invalid one never, fault or not."""
    judgement.demand(*ANSWER_RULES)
