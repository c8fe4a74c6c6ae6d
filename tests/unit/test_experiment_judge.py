"""Judging an experiment from records made by hand: one broken promise each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.contract.judge import Violated, Violation
from harness.contract.verdict import Verdict
from harness.experiment.judge import Undecided, judge
from harness.experiment.record import Look, Mark, Measure, Probe, Record
from harness.faults.fault import Expectation

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.experiment.record import Outcome

MEASURE = Measure(budget_s=1, ready_s=60, recovery_s=60, steady_s=2, accept_s=0.25, rate_per_s=20, same_tolerance=1e-6)
STRUCK_S, REVERTED_S, ENDED_S = 4.0, 8.0, 14.0
BACK_S = 10.0
MARKS = (
    Mark(name="steady", at_s=3.5),
    Mark(name="struck", at_s=STRUCK_S),
    Mark(name="taken", at_s=STRUCK_S + 0.1),
    Mark(name="revert", at_s=REVERTED_S - 0.1),
    Mark(name="reverted", at_s=REVERTED_S),
    Mark(name="well", at_s=13.0),
    Mark(name="ended", at_s=ENDED_S),
)
UP = Look(at_s=0.0, status="running", exit_code=0, oom_killed=False)
DOWN = Look(at_s=STRUCK_S + 0.5, status="exited", exit_code=0, oom_killed=False, log="the last line")
UP_AGAIN = Look(at_s=REVERTED_S, status="running", exit_code=0, oom_killed=False)
STOP = Expectation(exits="must", exit_rule="C12", exit_codes=(0,), exit_within_s=30, drains=True, recovery_rule="C4")
KEPT = "kept"


def _probe(sent_s: float, **changes: object) -> Probe:
    number = round(sent_s * 1000)
    made = Probe(
        asked="good",
        due_s=sent_s,
        sent_s=sent_s,
        answered_s=sent_s + 0.02,
        outcome="right",
        status=200,
        request_id=f"id-{number}",
        got_request_id=f"id-{number}",
        window=f"window-{number}",
        as_of=f"second-{int(sent_s)}",
        got_as_of=f"second-{int(sent_s)}",
        close=100.0,
        prediction=100.0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # changed by name


def _while_down(probe: Probe) -> Probe:
    if not STRUCK_S <= probe.sent_s < BACK_S:
        return probe
    return replace(probe, outcome="failed", status=None, prediction=None, got_as_of="", got_request_id="")


def _traffic(*, down: bool = True) -> list[Probe]:
    """Return 20 windows and 2 pings a second, of which one of the windows is kept; all fail while the sut is down."""
    windows = [_probe(turn / 20) for turn in range(int(ENDED_S * 20))]
    kept = [_probe(turn / 2 + 0.01, asked="same", window=KEPT) for turn in range(7, int(ENDED_S * 2))]
    pings = [
        Probe(asked="ping", due_s=t / 2, sent_s=t / 2, answered_s=t / 2 + 0.01, outcome="right", status=200)
        for t in range(int(ENDED_S * 2))
    ]
    probes = [*windows, *kept, *pings]
    return [_while_down(probe) for probe in probes] if down else probes


def _half_sent(after_s: float, **changes: object) -> Probe:
    return _probe(STRUCK_S + after_s, **{"asked": "in_flight", "window": "half", **changes})


GOOD = Record(
    name="stop",
    image="somebody/sut:1",
    began_at=0.0,
    up_since_s=-5.0,
    measure=MEASURE,
    expects=STOP,
    marks=MARKS,
    looks=(UP, DOWN, UP_AGAIN),
    probes=(*_traffic(), _half_sent(0.02), _half_sent(1.0)),
)


def _with(change: Callable[[Probe], Probe], record: Record = GOOD) -> Record:
    return replace(record, probes=tuple(change(probe) for probe in record.probes))


def _rules(record: Record) -> set[str]:
    return {violation.rule for violation in judge(record).violations}


def test_a_good_record_passes_and_tells_its_recovery() -> None:
    judgement = judge(GOOD)
    assert (judgement.verdict, judgement.violations, judgement.doubts) == (Verdict.PASSED, (), ())
    assert judgement.recovered_after_s == pytest.approx(BACK_S - REVERTED_S, abs=0.2)
    assert judgement.not_compared is None


@pytest.mark.parametrize("sent_s", [1.0, 11.0])
def test_a_wrong_answer_is_found_whenever_it_comes(sent_s: float) -> None:
    broken = (Violation(rule="P3", expected="a prediction near 100", actual="200"),)
    record = _with(lambda p: replace(p, outcome="wrong", broken=broken) if p.sent_s == sent_s else p)
    assert "P3" in _rules(record)


def test_an_accepted_invalid_body_is_found() -> None:
    broken = (Violation(rule="D4", expected="a refusal", actual="200"),)
    invalid = _probe(2.0, asked="invalid", window="", outcome="wrong", broken=broken)
    assert _rules(replace(GOOD, probes=(*GOOD.probes, invalid))) == {"D4"}


def test_another_exit_code_breaks_c12() -> None:
    looks = (UP, replace(DOWN, exit_code=143), UP_AGAIN)
    assert _rules(replace(GOOD, looks=looks)) == {"C12"}


def test_no_exit_at_all_breaks_c12() -> None:
    assert _rules(replace(GOOD, looks=(UP,))) == {"C12"}


def test_an_exit_that_comes_late_breaks_c12() -> None:
    record = replace(GOOD, expects=replace(STOP, exit_within_s=0.2))
    assert _rules(record) == {"C12"}


def test_a_request_in_flight_that_is_dropped_breaks_c12() -> None:
    record = _with(lambda p: replace(p, outcome="failed", status=None) if p.asked == "in_flight" else p)
    assert _rules(record) == {"C12"}


def test_an_ordinary_request_that_was_in_flight_and_is_dropped_breaks_c12() -> None:
    dropped = _probe(STRUCK_S - 0.4, answered_s=STRUCK_S + 0.1, outcome="failed", status=None, prediction=None)
    assert _rules(replace(GOOD, probes=(*GOOD.probes, dropped))) == {"C12"}


def test_a_new_connection_that_is_served_after_the_signal_breaks_c12() -> None:
    assert _rules(replace(GOOD, probes=(*GOOD.probes, _probe(STRUCK_S + 2.5)))) == {"C12"}


def test_a_new_connection_just_after_the_signal_is_no_breach() -> None:
    assert judge(replace(GOOD, probes=(*GOOD.probes, _probe(STRUCK_S + 1.0)))).verdict is Verdict.PASSED


def test_no_recovery_breaks_the_rule_of_the_fault() -> None:
    dead = _with(lambda p: replace(p, outcome="failed", status=None) if p.sent_s >= STRUCK_S else p)
    kill = replace(dead, expects=Expectation(exits="must", exit_rule="C17"))
    assert _rules(kill) == {"C17"}
    assert "C4" in _rules(dead)


def test_a_recovery_that_takes_too_long_breaks_c17() -> None:
    slow = replace(GOOD, measure=replace(MEASURE, recovery_s=1), expects=Expectation(exits="may"))
    assert _rules(slow) == {"C17"}


def test_a_failure_after_the_recovery_breaks_c17() -> None:
    record = _with(lambda p: replace(p, outcome="failed") if p.asked == "good" and p.sent_s == 13.0 else p)
    assert _rules(replace(record, expects=Expectation(exits="may"))) == {"C17"}


def test_a_ping_of_200_while_invocations_fail_breaks_c3() -> None:
    record = _with(lambda p: replace(p, outcome="right", status=200) if p.asked == "ping" else p)
    assert "C3" in _rules(record)


def test_a_ping_that_is_ill_while_invocations_are_served_breaks_c3() -> None:
    record = _with(lambda p: replace(p, outcome="refused", status=503) if p.asked == "ping" and p.sent_s > 10.4 else p)
    assert "C3" in _rules(record)


def test_a_ping_that_lags_a_second_behind_is_no_lie() -> None:
    early = _with(lambda p: replace(p, outcome="right", status=200) if p.asked == "ping" and p.sent_s >= 8.9 else p)
    assert judge(early).verdict is Verdict.PASSED


def test_another_prediction_after_the_fault_breaks_p2() -> None:
    changed = _with(lambda p: replace(p, prediction=100.01) if p.window == KEPT and p.sent_s > BACK_S else p)
    assert _rules(changed) == {"P2"}


def test_a_window_too_old_to_be_compared_is_said() -> None:
    aged = replace(GOOD, probes=tuple(p for p in GOOD.probes if p.window != KEPT or p.sent_s < STRUCK_S))
    assert judge(aged).verdict is Verdict.PASSED
    assert "too old" in (judge(aged).not_compared or "")


@pytest.mark.parametrize(
    "changes",
    [
        {"got_request_id": "id-1000"},
        {"got_as_of": "second-1"},
        {"prediction": 250.0, "outcome": "wrong"},
    ],
)
def test_anothers_answer_breaks_p6(changes: dict[str, object]) -> None:
    other = _probe(1.001, close=250.0, prediction=250.0)
    stolen = _with(lambda p: replace(p, **changes) if p.sent_s == 3.0 and p.asked == "good" else p)  # type: ignore[arg-type]
    assert "P6" in _rules(replace(stolen, probes=(*stolen.probes, other)))


@pytest.mark.parametrize("marks", [(), MARKS])
def test_an_exit_that_nobody_asked_for_breaks_c18(marks: tuple[Mark, ...]) -> None:
    gone = replace(DOWN, at_s=1.0, exit_code=1)
    assert "C18" in _rules(replace(GOOD, marks=marks, looks=(UP, gone)))


def test_an_exit_in_a_fault_that_grants_none_breaks_c18() -> None:
    assert "C18" in _rules(replace(GOOD, expects=Expectation(exits="never")))


def test_an_exit_just_after_such_a_fault_breaks_c18_too() -> None:
    late = replace(DOWN, at_s=REVERTED_S + 0.1)
    assert "C18" in _rules(replace(GOOD, looks=(UP, late), expects=Expectation(exits="never")))


def test_a_container_that_never_gets_ready_breaks_c4() -> None:
    never = _with(lambda p: replace(p, outcome="failed", status=None))
    waited = replace(never, up_since_s=-50.0, marks=(Mark(name="ended", at_s=ENDED_S),), looks=(UP,))
    assert _rules(waited) == {"C4"}


def test_a_harness_that_fell_behind_cannot_tell() -> None:
    late = _with(lambda p: replace(p, due_s=p.due_s - 1.0))
    assert judge(late).verdict is Verdict.UNKNOWN
    with pytest.raises(Undecided, match="fell behind"):
        judge(late).demand("C17")


def test_too_few_probes_cannot_tell() -> None:
    few = replace(GOOD, probes=tuple(p for p in GOOD.probes if not STRUCK_S < p.sent_s < REVERTED_S))
    assert judge(replace(few, expects=Expectation(exits="may"))).verdict is Verdict.UNKNOWN


def test_an_experiment_that_never_got_steady_cannot_tell() -> None:
    short = replace(GOOD, marks=(Mark(name="ended", at_s=ENDED_S),), looks=(UP,))
    assert judge(short).verdict is Verdict.UNKNOWN


def test_a_broken_rule_is_demanded_even_of_a_doubtful_record() -> None:
    late = _with(lambda p: replace(p, due_s=p.due_s - 1.0))
    with pytest.raises(Violated, match="exit code 0"):
        judge(replace(late, looks=(UP, replace(DOWN, exit_code=1)))).demand("C12")


MAY_END = Expectation(exits="may")
KILLED = replace(DOWN, exit_code=137, oom_killed=True)
WELL = replace(GOOD, probes=tuple(_traffic(down=False)), looks=(UP,), expects=MAY_END)
DEAF = _with(lambda p: replace(p, outcome="failed", status=None) if p.sent_s >= STRUCK_S else p, WELL)


@pytest.mark.parametrize(
    ("record", "fate", "told"),
    [
        (replace(GOOD, looks=(UP, KILLED, UP_AGAIN), expects=MAY_END), "killed whole", "by the kernel, out of memory"),
        (replace(GOOD, looks=(UP, replace(DOWN, exit_code=137), UP_AGAIN), expects=MAY_END), "killed whole", "SIGKILL"),
        (replace(GOOD, looks=(UP, replace(DOWN, exit_code=1), UP_AGAIN), expects=MAY_END), "gave up", "exit code 1"),
        (replace(GOOD, looks=(UP,), expects=MAY_END), "survived", "did not serve well while the fault lasted"),
        (replace(GOOD, looks=(UP,), expects=MAY_END, memory_kills=2), "worker replaced", "2 times the kernel"),
        (WELL, "survived", "answered rightly while the fault lasted"),
        (replace(WELL, memory_kills=1), "worker replaced", "answered rightly"),
        (replace(WELL, expects=replace(MAY_END, ends_process=True)), "worker replaced", "answered rightly"),
    ],
)
def test_the_fate_of_a_container_that_may_end_is_told_and_is_no_failure(record: Record, fate: str, told: str) -> None:
    judgement = judge(record)
    assert (judgement.verdict, judgement.fate) == (Verdict.PASSED, fate)
    assert any(remark.startswith(fate) and told in remark for remark in judgement.remarks)


@pytest.mark.parametrize("kills", [0, 1])
def test_a_container_that_lives_on_and_does_not_serve_again_is_a_zombie_and_fails(kills: int) -> None:
    judgement = judge(replace(DEAF, memory_kills=kills))
    assert (judgement.verdict, judgement.fate) == (Verdict.FAILED, "zombie")
    assert "C17" in {violation.rule for violation in judgement.violations}


def test_a_recovery_that_comes_too_late_makes_a_zombie() -> None:
    late = replace(GOOD, looks=(UP,), expects=MAY_END, measure=replace(MEASURE, recovery_s=1))
    assert judge(late).fate == "zombie"


@pytest.mark.parametrize("changes", [{"expects": Expectation(exits="never")}, {"marks": MARKS[:3]}])
def test_there_is_no_fate_where_nothing_may_end_or_the_experiment_broke_off(changes: dict[str, object]) -> None:
    assert judge(replace(WELL, **changes)).fate is None  # type: ignore[arg-type]  # changed by name


BRIEF = Expectation(exits="never", undisturbed=True, notice_rule="R1", brief_s=5.0)
BLAMELESS = replace(BRIEF, notice_rule="C14", brief_s=None)


def _while_struck(record: Record = WELL, **changes: object) -> Record:
    return _with(lambda p: replace(p, **changes) if STRUCK_S <= p.sent_s < REVERTED_S else p, record)  # type: ignore[arg-type]


LATE = _with(lambda p: replace(p, answered_s=p.sent_s + 4) if STRUCK_S <= p.sent_s < REVERTED_S else p, WELL)
REFUSED = _while_struck(outcome="refused", status=503)


@pytest.mark.parametrize(
    ("record", "expects", "rules"),
    [
        (LATE, BRIEF, set()),
        (LATE, BLAMELESS, {"C14"}),
        (REFUSED, BRIEF, {"R1"}),
        (REFUSED, replace(BRIEF, brief_s=3.0), set()),
        (REFUSED, BLAMELESS, {"C14"}),
    ],
    ids=["late by the pause", "never late", "refused", "no brief one", "by another rule"],
)
def test_what_is_brief_makes_late_and_no_more(record: Record, expects: Expectation, rules: set[str]) -> None:
    assert _rules(replace(record, expects=expects)) == rules


WRONG_ONCE = _with(
    lambda p: replace(p, broken=(Violation(rule="P1", expected="a number", actual="none"),)) if p.sent_s < 1 else p,
    LATE,
)
FELL_BEHIND = _with(lambda p: replace(p, due_s=p.due_s - 1.0), WELL)


@pytest.mark.parametrize(
    ("record", "expects", "is_late"),
    [
        (LATE, BLAMELESS, True),
        (FELL_BEHIND, BLAMELESS, True),
        (_with(lambda p: replace(p, due_s=p.due_s - 1.0), LATE), BLAMELESS, True),
        (WELL, BLAMELESS, False),
        (REFUSED, BLAMELESS, False),
        (_while_struck(outcome="timed out", status=None), BLAMELESS, False),
        (WRONG_ONCE, BLAMELESS, False),
        (replace(LATE, looks=(UP, DOWN)), BLAMELESS, False),
        (replace(FELL_BEHIND, marks=MARKS[:3]), BLAMELESS, False),
    ],
    ids=[
        "answers",
        "our questions",
        "both",
        "nothing",
        "refusals",
        "no answers",
        "a wrong answer beside",
        "an exit beside",
        "no end",
    ],
)
def test_lateness_alone_is_told_from_anything_worse(record: Record, expects: Expectation, *, is_late: bool) -> None:
    judgement = judge(replace(record, expects=expects))
    assert judgement.is_late_alone is is_late
    assert (judgement.verdict is Verdict.PASSED) == (record is WELL)


@pytest.mark.parametrize(("seamless", "rules"), [(False, set()), (True, {"R1"})])
def test_the_end_of_a_fault_is_noticed_where_it_should_be_seamless(*, seamless: bool, rules: set[str]) -> None:
    expects = Expectation(exits="never", undisturbed=True, notice_rule="R1", seamless=seamless)
    refused = _with(lambda p: replace(p, outcome="refused", status=503) if REVERTED_S < p.sent_s < BACK_S else p, WELL)
    honest = _with(lambda p: replace(p, outcome="right", status=200) if p.sent_s < REVERTED_S else p, refused)
    assert _rules(replace(honest, expects=expects)) == rules


@pytest.mark.parametrize(("may_lag", "rules"), [(True, set()), (False, {"C3"})])
def test_a_503_of_a_container_that_may_lag_is_no_lie_of_its_ping(*, may_lag: bool, rules: set[str]) -> None:
    refusing = _with(lambda p: replace(p, outcome="refused", status=503) if p.outcome == "failed" else p)
    pinged = _with(lambda p: replace(p, outcome="right", status=200) if p.asked == "ping" else p, refusing)
    early = _with(lambda p: replace(p, outcome="right", status=200) if p.sent_s >= REVERTED_S else p, pinged)
    assert _rules(replace(early, looks=(UP,), expects=Expectation(exits="never", may_lag=may_lag))) == rules


@pytest.mark.parametrize(
    ("status", "retry_after", "rules"), [(503, "1", set()), (503, "", {"C13"}), (200, "", {"C13"})]
)
def test_what_comes_late_under_overload_says_when_to_come_again(status: int, retry_after: str, rules: set[str]) -> None:
    def late(probe: Probe) -> Probe:
        if probe.asked == "ping" or not STRUCK_S < probe.sent_s < STRUCK_S + 1.0:
            return probe
        outcome: Outcome = "right" if status == 200 else "refused"
        return replace(probe, answered_s=probe.sent_s + 3.0, outcome=outcome, status=status, retry_after=retry_after)

    calm = replace(GOOD, probes=tuple(_traffic(down=False)), looks=(UP,))
    expects = Expectation(exits="never", may_shed=True, recovery_rule="C13")
    assert _rules(replace(_with(late, calm), expects=expects)) == rules


def test_who_is_far_and_answered_late_is_late_alone() -> None:
    late = replace(WELL, expects=FAR, probes=(*WELL.probes, _far(0.1, answered_s=STRUCK_S + 9.0)))
    assert judge(late).is_late_alone
    none = replace(late, probes=(*WELL.probes, _far(0.1, outcome="failed", status=None)))
    assert not judge(none).is_late_alone
    assert _rules(late) == _rules(none) == {"C13"}


FAR = Expectation(exits="never", undisturbed=True, recovery_rule="C14", far_within_s=2.5)


def _far(sent_s: float, **changes: object) -> Probe:
    return _probe(STRUCK_S + sent_s, **{"asked": "far", "answered_s": STRUCK_S + sent_s + 2.0, **changes})


def _behind_a_slow_network(*far: Probe) -> Record:
    return replace(GOOD, expects=FAR, looks=(UP,), probes=(*_traffic(down=False), *far))


def test_who_asks_over_a_slow_network_may_wait_as_long_as_that_takes() -> None:
    judgement = judge(_behind_a_slow_network(*(_far(turn / 10) for turn in range(20))))
    assert (judgement.violations, judgement.doubts) == ((), ())


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "failed", "status": None, "detail": "closed (ConnectionResetError)"},
        {"outcome": "timed out", "status": None},
        {"outcome": "refused", "status": 503, "retry_after": "1"},
        {"answered_s": STRUCK_S + 5.0},
    ],
    ids=lambda changes: str(changes.get("outcome", "late")),
)
def test_who_asks_over_a_slow_network_and_is_not_answered_in_time_breaks_c13(changes: dict[str, object]) -> None:
    far = [_far(turn / 10, **(changes if turn < 3 else {})) for turn in range(20)]
    assert _rules(_behind_a_slow_network(*far)) == {"C13"}


def test_one_hiccup_among_many_on_a_slow_network_is_the_machines() -> None:
    far = [_far(turn / 10, **({"answered_s": STRUCK_S + 5.0} if turn == 0 else {})) for turn in range(20)]
    assert _rules(_behind_a_slow_network(*far)) == set()


def test_a_refusal_over_a_slow_network_is_a_wrong_answer_and_no_hang() -> None:
    broken = (Violation(rule="R1", expected="200", actual="400"),)
    assert _rules(_behind_a_slow_network(_far(0.1, outcome="wrong", status=400, broken=broken))) == {"R1"}


def test_nothing_is_known_where_nobody_asked_over_the_slow_network() -> None:
    assert judge(_behind_a_slow_network()).doubts == ("nobody asked over the bad network",)
