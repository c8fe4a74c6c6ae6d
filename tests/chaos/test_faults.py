"""C3, C4, C12 to C14, C17, C18, R1, P2, P6: every fault that one container can meet, one experiment each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.experiment.judge import ANSWER_RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.experiment.judge import Judgement
    from harness.faults.fault import Expectation, Fault

pytestmark = pytest.mark.chaos

# Which of them is broken where a container does not recover is for the fault to say.
RECOVERY_RULES = ("C4", "C13", "C14", "C17", "R1")


def under_faults(
    about: Callable[[Expectation], bool] = lambda _: True, rules: Callable[[Fault], Sequence[str]] = lambda _: ()
) -> pytest.MarkDecorator:
    """Repeat a check under every fault of which something is expected; `rules` are those that a fault brings along."""
    return pytest.mark.under_faults(about=about, rules=rules)


def _of_recovery(fault: Fault) -> list[str]:
    return list(dict.fromkeys([fault.expects.recovery_rule, *(["C4"] if fault.leaves_trace else [])]))


@under_faults(rules=_of_recovery)
def test_it_serves_again(judgement: Judgement) -> None:
    """After a fault it MUST serve again within 60 s, without help beyond a start of the same container."""
    judgement.demand(*RECOVERY_RULES)


@pytest.mark.rule("C12")
@under_faults(lambda expects: expects.exit_rule == "C12")
def test_it_answers_what_is_in_flight_refuses_what_is_new_and_exits_with_0(judgement: Judgement) -> None:
    """On SIGTERM it MUST answer what is in flight, refuse new connections and exit with 0 within 30 s."""
    judgement.demand("C12")


@under_faults(lambda expects: expects.undisturbed, rules=lambda fault: [fault.expects.notice_rule])
def test_others_do_not_notice(judgement: Judgement) -> None:
    """A slow, half-open, aborted or large client MUST NOT be noticed by others, nor a brief pause or a set clock."""
    judgement.demand("C14", "R1")


@pytest.mark.rule("C13")
@under_faults(lambda expects: expects.may_shed)
def test_overload_is_refused_honestly(judgement: Judgement) -> None:
    """What comes too late, or is too much, MUST get 503 with Retry-After, and never hang."""
    judgement.demand("C13")


@pytest.mark.rule("C13")
@under_faults(lambda expects: expects.far_within_s is not None)
def test_a_slow_network_is_no_reason_to_leave_a_client_without_answer(judgement: Judgement) -> None:
    """A request that arrives slowly, or whose answer leaves slowly, MUST be answered like any other."""
    judgement.demand("C13")


@pytest.mark.rule("C3")
@under_faults()
def test_ping_tells_the_truth(judgement: Judgement) -> None:
    """GET /ping MUST be 200 only while an invocation can be answered, before, during and after the fault."""
    judgement.demand("C3")


@pytest.mark.rule("P2")
@under_faults()
def test_the_same_window_gets_the_same_prediction(judgement: Judgement) -> None:
    """The same window MUST get the same prediction, after the fault as before it."""
    judgement.demand("P2")
    if judgement.not_compared:
        pytest.skip(judgement.not_compared)


@pytest.mark.rule("P6")
@under_faults()
def test_no_answer_shows_another_request(judgement: Judgement) -> None:
    """Nothing of one request MAY show in another's answer, fault or not."""
    judgement.demand("P6")


@pytest.mark.rule("C18")
@under_faults()
def test_it_exits_only_when_told(judgement: Judgement) -> None:
    """It MUST NOT exit unless it is told to."""
    judgement.demand("C18")


@pytest.mark.rule(*ANSWER_RULES)
@under_faults()
def test_no_answer_is_ever_wrong(judgement: Judgement) -> None:
    """A good window MUST be answered rightly or not at all, and an invalid one never, fault or not."""
    judgement.demand(*ANSWER_RULES)
