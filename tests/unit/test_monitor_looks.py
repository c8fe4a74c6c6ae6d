"""Pings that fail, are slow or flap; one valid invocation; a container as Docker sees it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from harness.alerts.monitor.checks import (
    INVOCATION,
    INVOCATION_QUICK,
    MEMORY,
    PING,
    PING_QUICK,
    PING_STEADY,
    RUNS,
    STAYS_UP,
    Check,
)
from harness.alerts.monitor.container_check import Lifetime, check_container
from harness.alerts.monitor.endpoint_check import check_invocation, check_pings
from harness.alerts.monitor.replay import Persistence
from harness.alerts.monitor.sight import Subject
from harness.contract.profile import load_profile
from harness.contract.records import build, last_whole_second_ns
from harness.contract.series import generate
from harness.system.client import Answer, Exchange, Failure, NoAnswer, Request
from harness.system.container import State
from harness.system.waiting import VirtualClock
from harness.system.watched import CannotLook, Glance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.alerts.monitor.sight import Sight
    from harness.contract.records import Window

PROFILE = load_profile()
NOW = 1_790_000_000.0
WINDOW = build(PROFILE.window, generate(seed=1, seconds=60), end_ns=last_whole_second_ns(NOW))
SUBJECT = Subject(target="price", variant="blue", row_keys=("target", "rule", "check"))
SILENT: Failure = "timed out"
GET = Request(method="GET", path="/ping")


@dataclass(slots=True)
class Moody:
    """An endpoint whose pings end as listed: a status, and how long it took; 0 is no answer."""

    pings: list[tuple[int, float]]
    predicts: Answer | None = None
    asked: list[Window] = field(default_factory=list)

    def ping(self, *, timeout_s: float | None = None) -> Exchange:
        """Answer the next ping."""
        status, elapsed_s = self.pings.pop(0)
        if not status:
            raise NoAnswer(SILENT, GET, timeout_s or 0.0, "")
        return Exchange(url="", request=GET, answer=Answer(status=status, headers={}, body=b"", elapsed_s=elapsed_s))

    def predict(self, window: Window, *, timeout_s: float | None = None) -> Exchange:
        """Answer as told."""
        self.asked.append(window)
        if self.predicts is None:
            raise NoAnswer(SILENT, GET, timeout_s or 0.0, str(window))
        return Exchange(url="", request=GET, answer=self.predicts)

    def close(self) -> None:
        """Nothing is open."""


def ping(pings: list[tuple[int, float]], before: Sequence[bool] = ()) -> Sight:
    return check_pings(Moody(pings), PROFILE, VirtualClock(NOW), before)[0]


def wrong(sight: Sight) -> list[Check]:
    return [finding.check for finding in sight.findings]


WELL, ILL, LOST, SLOW = (200, 0.01), (503, 0.01), (0, 0.0), (200, 2.5)


@pytest.mark.parametrize(
    ("pings", "found"),
    [
        ([WELL] * 3, []),
        ([ILL] * 3, [PING]),
        ([LOST] * 3, [PING]),
        ([LOST, ILL, WELL], []),
        ([SLOW] * 3, [PING_QUICK]),
        ([SLOW, SLOW, WELL], [PING_QUICK]),
        ([SLOW, WELL, WELL], []),
        ([WELL, LOST, SLOW], []),
    ],
)
def test_a_ping_fails_when_all_do_and_is_slow_when_most_are(pings: list[tuple[int, float]], found: list[Check]) -> None:
    assert wrong(ping(list(pings))) == found


def test_what_a_failing_ping_leaves_open_is_not_said_to_be_well() -> None:
    sight = ping([LOST] * 3)
    assert sight.covered == (PING,)
    assert "3 of 3 pings failed, the last: GET /ping: timed out" in sight.findings[0].evidence


@pytest.mark.parametrize(
    ("before", "flaps"),
    [
        ("......", False),
        ("xxxxxxxxx", False),  # one outage, over now
        ("x..x..x", True),
        ("xx....x", True),
        ("x..x", False),  # twice is no habit
        ("x.x.x" + "." * 36, False),  # long ago
    ],
)
def test_flapping_is_n_of_the_last_m_and_more_than_one_outage(before: str, flaps: bool) -> None:  # noqa: FBT001 - a case
    sight = ping([WELL] * 3, [sign == "." for sign in before])
    assert wrong(sight) == ([PING_STEADY] if flaps else [])


def test_pings_are_a_pause_apart_and_the_last_ones_are_remembered() -> None:
    clock = VirtualClock(NOW)
    _, lately = check_pings(Moody([WELL, LOST, WELL]), PROFILE, clock, [True] * 99)
    assert clock.now() == NOW + 2
    assert lately == (*[True] * 33, True, False, True)


def test_a_valid_invocation_is_served() -> None:
    sight, _ = check_invocation(Persistence(profile=PROFILE), PROFILE, WINDOW)
    assert (sight.covered, sight.findings) == ((INVOCATION, INVOCATION_QUICK), ())


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (None, "R1"),
        (Answer(status=503, headers={}, body=b"{}", elapsed_s=0.1), "R1"),
        (Answer(status=200, headers={}, body=b"{}", elapsed_s=0.1), "P0"),
    ],
)
def test_an_invocation_that_is_not_served_names_the_broken_rule(answer: Answer | None, rule: str) -> None:
    sight, _ = check_invocation(Moody([], predicts=answer), PROFILE, WINDOW)
    (alert, *_) = sight.observation(SUBJECT).alerts
    assert (alert.rule, alert.check) == (rule, "invocation is served")


def test_a_prediction_far_from_a_quiet_price_breaks_p3_and_a_late_one_the_budget() -> None:
    far, _ = check_invocation(Persistence(profile=PROFILE, skew=1.02), PROFILE, WINDOW)
    assert [finding.rule for finding in far.findings] == ["P3"]
    answer = Persistence(profile=PROFILE).predict(WINDOW).answer
    late, _ = check_invocation(Moody([], predicts=replace(answer, elapsed_s=2.5)), PROFILE, WINDOW)
    assert wrong(late) == [INVOCATION_QUICK]


GLANCE = Glance(
    id="c1",
    image="price:1.4",
    state=State(status="running", exit_code=0, oom_killed=False, restarts=0, started_at="t0"),
    memory_kills=0,
    url="http://127.0.0.1:1",
)
LIFE = Lifetime(id="c1", restarts=0, started_at="t0", at=NOW - 300)


@dataclass(slots=True)
class Eye:
    """A container that is seen as told."""

    glance: Glance | None
    name: str = "price"
    since: list[float] = field(default_factory=list)

    def look(self, *, since_at: float) -> Glance | None:
        """Return the glance."""
        self.since.append(since_at)
        return self.glance


def state(**changes: object) -> Glance:
    return replace(GLANCE, state=replace(GLANCE.state, **changes))  # type: ignore[arg-type]  # by the fields' names


@pytest.mark.parametrize(
    ("glance", "found", "says"),
    [
        (GLANCE, [], ""),
        (None, [RUNS], "there is no container price"),
        (state(status="exited", exit_code=3), [RUNS], "price:1.4 is exited, exit code 3"),
        (state(status="exited", exit_code=137), [RUNS], "exit code 137 (SIGKILL)"),
        (state(status="paused"), [RUNS], "price:1.4 is paused"),
        (state(status="exited", exit_code=137, oom_killed=True), [RUNS, MEMORY], "exit code 137"),
        (replace(GLANCE, memory_kills=2), [MEMORY], "2 of its processes were killed"),
        (state(restarts=2, started_at="t1"), [STAYS_UP], "started again by Docker 2 times since the last look"),
        (state(started_at="t1"), [STAYS_UP], "started again by somebody"),
        (replace(state(started_at="t1"), id="c2"), [], ""),
    ],
)
def test_a_container_is_down_out_of_memory_or_started_again(
    glance: Glance | None, found: list[Check], says: str
) -> None:
    sight, life, url = check_container(Eye(glance), LIFE, now=NOW)
    assert wrong(sight) == found
    assert says in "".join(finding.evidence for finding in sight.findings)
    assert (url is not None) == (glance is not None and glance.state.is_up)
    assert life == LIFE if glance is None else life is not None and life.at == NOW


def test_the_first_look_has_nothing_to_compare_with() -> None:
    eye = Eye(state(restarts=7, started_at="t9"))
    sight, _, _ = check_container(eye, None, now=NOW)
    assert (sight.findings, eye.since) == ((), [NOW])


def test_without_docker_nothing_is_known() -> None:
    class Blind:
        name = "price"

        def look(self, *, since_at: float) -> Glance | None:
            msg = f"Docker does not answer ({since_at})"
            raise CannotLook(msg)

    sight, life, url = check_container(Blind(), LIFE, now=NOW)
    assert (sight.verdict.value, life, url) == ("UNKNOWN", LIFE, None)
