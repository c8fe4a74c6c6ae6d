"""Experiments side by side: who shares a container, who is alone, where the time goes, and what ends the run."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import pytest

from harness.contract.verdict import Verdict
from harness.experiment import laboratory as laboratory_module
from harness.experiment.agenda import Agenda
from harness.experiment.experiment import RevertFailed
from harness.experiment.floor import Floor
from harness.experiment.judge import judge
from harness.experiment.laboratory import Bench, Inapplicable, Laboratory
from harness.experiment.pool import Pool
from harness.experiment.record import read
from harness.experiment.times import lines, times_of, write
from harness.faults import FAULTS
from harness.faults.fault import Expectation, Struck
from harness.system.container import Launch
from harness.system.processes import OutOfReach
from tests.unit.test_experiment_judge import GOOD, MARKS
from tests.unit.test_experiment_run import PROFILE, SERIES, Illness, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import CancelledError
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.experiment.judge import Judgement
    from harness.experiment.record import Record
    from harness.faults.fault import Fault
    from harness.system.container import State, Sut
    from tests.unit.test_experiment_run import Stand

pytest_plugins = ["pytester"]

HOW = Launch(arguments=("otherwise",))


@dataclass(eq=False)
class Container:
    """A container as the pool sees it."""

    launch: Launch | None
    is_up: bool = True
    is_removed: bool = False

    def is_there(self) -> bool:
        """Say whether it is up."""
        return self.is_up

    def remove(self) -> None:
        """Remove it."""
        self.is_removed = True


@dataclass
class Docker:
    """Starts containers, and keeps them."""

    started: list[Container] = field(default_factory=list)

    def start(self, launch: Launch | None) -> Sut:
        """Start one."""
        self.started.append(Container(launch=launch))
        return cast("Sut", self.started[-1])


def _container(sut: Sut) -> Container:
    return cast("Container", sut)


def test_a_container_without_trace_is_used_again_as_long_as_it_is_well_and_up() -> None:
    docker = Docker()
    pool = Pool(docker.start, planned=[])
    first = pool.shared()
    pool.give_back(first, is_well=True)
    assert pool.shared() is first
    pool.give_back(first, is_well=True)
    _container(first).is_up = False
    second = pool.shared()
    assert second is not first
    pool.give_back(second, is_well=False)
    assert pool.shared() not in (first, second)
    pool.close()
    assert all(container.is_removed for container in docker.started[1:])


def test_a_worn_container_is_used_again_by_its_kind_alone_while_it_is_well() -> None:
    docker = Docker()
    pool = Pool(docker.start, planned=[])
    worn, otherwise = pool.own(None), pool.own(HOW)
    pool.give_back(worn, is_well=True)
    pool.give_back(otherwise, is_well=True)
    assert pool.shared() is not worn
    assert pool.own(HOW) is not otherwise
    assert pool.own(None) is worn
    pool.give_back(worn, is_well=False)
    assert pool.own(None) is not worn
    pool.close()
    assert all(container.is_removed for container in docker.started)


def test_two_experiments_never_share_a_container_at_once() -> None:
    pool = Pool(Docker().start, planned=[])
    assert pool.shared() is not pool.shared()
    pool.close()


def test_the_next_container_warms_while_others_are_in_use_and_none_is_left() -> None:
    docker = Docker()
    pool = Pool(docker.start, planned=[None, HOW, None])
    pool.give_back(pool.own(None), is_well=True)
    own = pool.own(HOW)
    assert _container(own).launch == HOW
    last = pool.own(None)
    assert [container.launch for container in docker.started] == [None, HOW, None]
    pool.give_back(last, is_well=True)
    pool.close()
    assert all(container.is_removed for container in docker.started)


def test_a_container_that_cannot_be_started_is_said_to_whoever_wants_it() -> None:
    def start(launch: Launch | None) -> Sut:
        msg = f"no image, started {launch}"
        raise ConnectionError(msg)

    pool = Pool(start, planned=[])
    with pytest.raises(ConnectionError, match="no image"):
        pool.own(None)
    pool.close()


def test_who_is_loud_is_alone_on_the_floor() -> None:
    floor, seen, inside = Floor(), list[tuple[str, int]](), list[str]()

    def stay(name: str, *, is_loud: bool) -> None:
        with floor.place(is_loud=is_loud):
            inside.append(name)
            time.sleep(0.02)
            seen.append((name, len(inside)))
            inside.remove(name)

    threads = [threading.Thread(target=stay, args=(f"{n}",), kwargs={"is_loud": n % 3 == 0}) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 12
    assert all(count == 1 for name, count in seen if int(name) % 3 == 0)
    assert any(count > 1 for name, count in seen if int(name) % 3)


def _illnesses(*names: str) -> list[Fault]:
    """Make faults: those whose names begin with `own` leave a trace."""
    return [Illness(name=name, leaves_trace=name.startswith("own")) for name in names]


def _next(agenda: Agenda) -> str | None:
    fault = agenda.next()
    return None if fault is None else fault.name


def test_two_experiments_of_a_kind_meet_only_where_nothing_else_is_left() -> None:
    agenda = Agenda(_illnesses("own 1", "own 2", "shared 1", "shared 2", "own 3"))
    assert [_next(agenda), _next(agenda)] == ["own 1", "shared 1"]
    agenda.done(_illnesses("shared 1")[0])
    assert _next(agenda) == "shared 2"
    assert _next(agenda) == "own 2"
    agenda.done(_illnesses("shared 2")[0])
    assert [_next(agenda), _next(agenda)] == ["own 3", None]


@pytest.mark.parametrize(("count", "second"), [(3, None), (5, "shared 1")])
def test_a_second_container_is_shared_where_enough_wait_for_it(count: int, second: str | None) -> None:
    agenda = Agenda(_illnesses(*(f"shared {number}" for number in range(count))))
    assert [_next(agenda), _next(agenda)] == ["shared 0", second]


def test_who_is_loud_comes_last() -> None:
    loud = FAULTS["burst"](PROFILE, SERIES)
    agenda = Agenda([loud, *_illnesses("own 1", "shared 1")])
    assert [_next(agenda), _next(agenda), _next(agenda)] == ["own 1", "shared 1", None]
    agenda.done(_illnesses("shared 1")[0])
    assert _next(agenda) == "burst"


def test_a_second_container_to_share_warms_when_those_for_one_experiment_are_out() -> None:
    docker = Docker()
    pool = Pool(docker.start, planned=[None], second_shared=True)
    first, own = pool.shared(), pool.own(None)
    assert len(docker.started) == 2
    pool.give_back(own, is_well=True)
    second = pool.shared()
    assert second not in (first, own)
    pool.close()
    assert [len(docker.started), all(container.is_removed for container in docker.started)] == [3, True]


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere(Illness):
    """An illness that this machine cannot bring about."""

    def launch(self, profile: Profile) -> Launch:
        """Refuse."""
        del profile
        msg = "this machine has no germs"
        raise OutOfReach(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Immune(Illness):
    """An illness that no container can catch."""

    def why_not(self, sut: Sut) -> str:
        """Say why."""
        return f"{sut.name} is immune"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[tuple[Bench, list[Path]]]:
    recorded: list[Path] = []
    with serving() as one, serving() as other:
        stands = iter([one, other])

        def start(launch: Launch | None) -> Sut:
            del launch
            return cast("Sut", next(stands))

        yield Bench(start=start, profile=PROFILE, series=SERIES, folder=tmp_path, recorded=recorded.append), recorded


def test_experiments_run_side_by_side_and_each_is_recorded_judged_and_timed(
    bench: tuple[Bench, list[Path]],
) -> None:
    laboratory = Laboratory(bench[0], [Illness(name="first"), Illness(name="second", leaves_trace=True)], lanes=2)
    judgements = [laboratory.judgement(name) for name in ("first", "second")]
    laboratory.close()
    assert [judgement.verdict for judgement in judgements] == [Verdict.PASSED, Verdict.PASSED]
    assert {path.name for path in bench[1]} == {"first.jsonl", "second.jsonl"}
    assert {times.fault for times in laboratory.times} == {"first", "second"}
    assert sum(times.total_s for times in laboratory.times) > laboratory.wall_s


def test_a_container_tells_what_it_has_been_through_and_its_steady_state_is_still_known(
    bench: tuple[Bench, list[Path]],
) -> None:
    laboratory = Laboratory(bench[0], [Illness(name="first"), Illness(name="second")], lanes=1)
    assert [laboratory.judgement(name).verdict for name in ("first", "second")] == [Verdict.PASSED, Verdict.PASSED]
    laboratory.close()
    first, second = (read(bench[0].folder / f"{name}.jsonl") for name in ("first", "second"))
    assert (first.past, second.past) == ((), ("first",))
    assert (second.at("steady") or 9) < (first.at("steady") or 0)
    assert "the container had come well out of: first" in judge(second).remarks


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowness(Illness):
    """A fault that keeps others waiting for so many seconds each time it strikes, in turn; they should not notice."""

    delays_s: list[float]
    expects: Expectation = Expectation(exits="never", undisturbed=True)  # noqa: RUF009 - a frozen value

    def inject(self, sut: Sut) -> Struck:
        """Slow it down."""
        cast("Stand", sut).delay_s = self.delays_s.pop(0)
        return Struck(at_s=time.monotonic())

    def has_taken(self, sut: Sut, before: State) -> str:
        """Say that it took."""
        del sut, before
        return "slow"

    def revert(self, sut: Sut) -> None:
        """Let it answer at once."""
        cast("Stand", sut).delay_s = 0.0

    def has_reverted(self, sut: Sut, before: State) -> str:
        """Say that it is over."""
        del sut, before
        return "quick"


@pytest.mark.parametrize(
    ("delays_s", "verdict", "is_repeated"),
    [([1.2, 0.0], Verdict.PASSED, True), ([1.2, 1.2], Verdict.FAILED, True), ([0.0], Verdict.PASSED, False)],
    ids=["late beside others alone", "late alone too", "never late"],
)
def test_what_is_late_beside_others_and_no_more_is_tried_again_alone(
    bench: tuple[Bench, list[Path]], delays_s: list[float], verdict: Verdict, *, is_repeated: bool
) -> None:
    laboratory = Laboratory(bench[0], [Slowness(name="slow", delays_s=delays_s)], lanes=2)
    assert laboratory.judgement("slow").verdict is verdict
    laboratory.close()
    assert delays_s == []
    record, aside = read(bench[0].folder / "slow.jsonl"), bench[0].folder / "repeated" / "slow.jsonl"
    assert bool(record.repeats) == aside.exists() == is_repeated
    told = "\n".join(lines(laboratory.times, wall_s=1.0, lanes=2))
    assert (f"slow was run again alone ({verdict}), for at first: C14: " in told) == is_repeated
    assert any("run again alone" in remark for remark in judge(record).remarks) == is_repeated
    if is_repeated:
        assert {violation.rule for violation in judge(read(aside)).violations} == {"C14"}
        assert bench[1] == [aside, bench[0].folder / "slow.jsonl"]


def test_what_is_late_with_nothing_beside_it_is_not_tried_again(bench: tuple[Bench, list[Path]]) -> None:
    laboratory = Laboratory(bench[0], [Slowness(name="slow", delays_s=[1.2, 0.0])], lanes=1)
    assert laboratory.judgement("slow").verdict is Verdict.FAILED
    laboratory.close()
    assert not (bench[0].folder / "repeated").exists()


@pytest.mark.parametrize("lanes", [1, 2])
def test_what_we_were_too_slow_for_is_tried_again(
    bench: tuple[Bench, list[Path]], monkeypatch: pytest.MonkeyPatch, lanes: int
) -> None:
    late: list[bool] = []

    def judged(record: Record) -> Judgement:
        late.append(not record.repeats)
        is_late = late[-1]
        probes = tuple(replace(probe, due_s=probe.due_s - is_late) for probe in record.probes)
        return judge(replace(record, probes=probes))

    monkeypatch.setattr(laboratory_module, "judge", judged)
    laboratory = Laboratory(bench[0], [Illness(name="illness")], lanes=lanes)
    assert laboratory.judgement("illness").verdict is Verdict.PASSED
    laboratory.close()
    assert late == [True, False]
    assert "the harness fell behind" in read(bench[0].folder / "illness.jsonl").repeats


@pytest.mark.parametrize("fault", [Elsewhere(), Immune()])
def test_a_fault_that_does_not_apply_says_why(bench: tuple[Bench, list[Path]], fault: Illness) -> None:
    laboratory = Laboratory(bench[0], [fault], lanes=1)
    with pytest.raises(Inapplicable, match=r"illness does not apply: (this machine has no germs|stand is immune)"):
        laboratory.judgement("illness")
    laboratory.close()


def test_no_experiment_begins_after_a_fault_that_was_not_reverted(bench: tuple[Bench, list[Path]]) -> None:
    laboratory = Laboratory(bench[0], [Illness(name="first", breaks_at="revert"), Illness(name="second")], lanes=1)
    with pytest.raises(RevertFailed, match="mend it with: heal stand"):
        laboratory.judgement("first")
    with pytest.raises(_cancelled()):
        laboratory.judgement("second")
    laboratory.close()
    assert [path.name for path in bench[0].folder.glob("*.jsonl")] == ["first.jsonl"]


def _cancelled() -> type[CancelledError]:
    from concurrent.futures import CancelledError  # noqa: PLC0415 - its name is that of another in asyncio

    return CancelledError


CONFTEST = """
import pytest
from harness.experiment.laboratory import Bench
from tests.chaos.conftest import judgement, laboratory, pytest_terminal_summary
from tests.unit.test_experiment_run import PROFILE, SERIES, Illness, serving

@pytest.fixture(scope="session")
def faults():
    return [Illness(name="well"), Illness(name="stuck", breaks_at="revert", hold_s=1.5)] + [
        Illness(name=f"later-{number}") for number in range(4)]

@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    stands = [serving() for _ in range(4)]
    started = iter([stand.__enter__() for stand in stands])
    yield Bench(start=lambda launch: next(started), profile=PROFILE, series=SERIES,
                folder=tmp_path_factory.mktemp("chaos"), recorded=lambda path: None)
    for stand in stands:
        stand.__exit__(None, None, None)
"""
CHECKS = """
import pytest
pytestmark = [pytest.mark.chaos, pytest.mark.rule("C17")]

@pytest.mark.parametrize("judgement", ["well", "stuck", "later-3"], indirect=True)
def test_it_serves_again(judgement):
    judgement.demand("C17")
"""


def test_a_failed_revert_ends_the_run_as_unknown_and_names_the_command_that_mends_it(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(CHECKS)
    ended = pytester.runpytest_inprocess("--sut-report-dir=report", "--sut-alerts=off")
    ended.assert_outcomes(passed=1, errors=1)
    ended.stdout.fnmatch_lines(["!*Interrupted: fault 'stuck' was not reverted on stand*mend it with: heal stand !*"])
    verdict = json.loads((pytester.path / "report" / "verdict.json").read_text())
    assert verdict["verdict"] == "UNKNOWN"
    assert "mend it with: heal stand" in verdict["reason"]


def test_the_time_of_an_experiment_is_divided_without_rest(tmp_path: Path) -> None:
    times = times_of(GOOD, judge(GOOD), fetched_s=2.0, total_s=20.0)
    assert (times.container_s, times.steady_s, times.fault_s) == pytest.approx((2.0, 4.0, 4.0))
    assert (times.recovery_s, times.overhead_s) == pytest.approx((5.0, 5.0))
    written = json.loads(write([times], tmp_path, wall_s=20.0, lanes=2).read_text())
    assert written["experiments"][0] | {"fault": "stop", "verdict": "PASSED"} == written["experiments"][0]
    assert written["experiments"][0]["overhead_s"] == 5.0
    told = list(lines([times], wall_s=20.0, lanes=2))
    assert told[0] == (
        "1 experiments in 20 s, 2 at a time; of their seconds: container 2, steady 4, fault 4, recovery 5, overhead 5"
    )
    assert "20.0 s stop" in told[1]


def test_an_experiment_that_broke_off_has_times_too() -> None:
    broken = replace(GOOD, marks=MARKS[:1], probes=())
    times = times_of(broken, judge(broken), fetched_s=1.0, total_s=9.0)
    assert times.container_s + times.steady_s + times.fault_s + times.recovery_s + times.overhead_s == 9.0
