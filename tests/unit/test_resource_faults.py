"""The faults of processes and resources, on a stand-in for a container; and the search for the least memory."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from harness.cli import main
from harness.contract.profile import load_profile
from harness.contract.series import generate
from harness.experiment.least_memory import Step, search
from harness.experiment.record import read, write
from harness.faults import FAULTS, faults_of
from harness.faults.fault import Choosy, Fitted
from harness.system.container import LimitRefused, State
from harness.system.processes import OutOfReach, processes_of
from tests.unit.test_experiment_judge import GOOD

if TYPE_CHECKING:
    from pathlib import Path

    from harness.faults.fault import Fault
    from harness.system.container import Sut

PROFILE = load_profile()
SERIES = generate(seed=1, seconds=120)
BEFORE = State(status="running", exit_code=0, oom_killed=False, restarts=0, started_at="first")


@dataclass
class Stand:
    """As much of a container as a limit needs; Docker keeps a limit that is not named."""

    name = "stand"
    image = "somebody/sut:1"
    status: str = "running"
    pid: int = 0
    limits: dict[str, int | None] = field(default_factory=lambda: {"PidsLimit": None, "CpuQuota": 0, "Memory": 1 << 30})
    starts: int = 1
    least_mb: int = 0
    sent: list[str] = field(default_factory=list)

    @property
    def container(self) -> SimpleNamespace:
        """Docker's handle."""
        attrs = {"HostConfig": dict(self.limits), "State": {"Pid": self.pid}}
        held = {"memory_stats": {"stats": {"anon": 200 << 20}}}
        return SimpleNamespace(
            attrs=attrs,
            id="no-such-container",
            reload=lambda: None,
            stats=lambda **_: held,
            kill=self.kill,
        )

    def kill(self, *, signal: str) -> None:
        """Keep the signal."""
        self.sent.append(signal)

    def limit(self, **limits: int) -> None:
        """Keep the limits."""
        self.limits.update(limits)

    def limit_memory(self, limit_mb: int) -> None:
        """Keep the limit, where it is no less than what cannot be taken."""
        if limit_mb < self.least_mb:
            msg = f"{limit_mb} MiB: device or resource busy"
            raise LimitRefused(msg)
        self.limits["Memory"] = limit_mb << 20

    def state(self) -> State:
        """Say how it is."""
        return replace(BEFORE, status=self.status)

    def start_again(self) -> None:
        """Start it."""
        self.status, self.starts = "running", self.starts + 1


def _sut(stand: Stand) -> Sut:
    return cast("Sut", stand)


def _fault(name: str) -> Fault:
    return FAULTS[name](PROFILE, SERIES)


@pytest.mark.parametrize("name", ["cpu", "pids"])
def test_a_limit_is_set_shown_and_lifted_as_often_as_one_likes(name: str) -> None:
    stand, fault = Stand(), _fault(name)
    sut = _sut(stand)
    assert fault.has_taken(sut, BEFORE) is None
    fault.inject(sut)
    assert fault.has_taken(sut, BEFORE) is not None
    assert fault.has_reverted(sut, BEFORE) is None
    fault.revert(sut)
    fault.revert(sut)
    assert fault.has_taken(sut, BEFORE) is None
    assert fault.has_reverted(sut, BEFORE) is not None
    assert stand.name in fault.mend(sut)
    assert stand.starts == 1


def test_the_share_of_a_core_comes_from_the_profile() -> None:
    stand, half = Stand(), replace(PROFILE, chaos=replace(PROFILE.chaos, scarce_cpu_share=0.5))
    FAULTS["cpu"](half, SERIES).inject(_sut(stand))
    assert stand.limits["CpuQuota"] == 50_000


def test_memory_shrinks_to_the_lowest_limit_that_the_kernel_takes_and_comes_back() -> None:
    stand, fault = Stand(least_mb=205), _fault("memory_shrunk")
    sut = _sut(stand)
    assert fault.has_taken(sut, BEFORE) is None
    fault.inject(sut)
    assert stand.limits["Memory"] == 206 << 20
    assert fault.has_taken(sut, BEFORE) == "206 MiB of 1024 left, running"
    assert fault.has_reverted(sut, BEFORE) is None
    fault.revert(sut)
    fault.revert(sut)
    assert fault.has_reverted(sut, BEFORE) == "1024 MiB, went on"


def test_memory_that_cannot_be_taken_is_ours_to_tell() -> None:
    with pytest.raises(LimitRefused, match="the kernel leaves stand all of its memory"):
        _fault("memory_shrunk").inject(_sut(Stand(least_mb=500)))


def test_a_signal_may_end_the_container_or_not() -> None:
    stand, fault = Stand(), faults_of(PROFILE, SERIES)["sighup"]
    sut = _sut(stand)
    fault.inject(sut)
    assert stand.sent == ["SIGHUP"]
    assert fault.has_taken(sut, BEFORE) == "SIGHUP delivered, running"
    fault.revert(sut)
    assert (fault.has_reverted(sut, BEFORE), stand.starts) == ("went on, running", 1)
    stand.status = "exited"
    fault.revert(sut)
    assert stand.starts == 2


def test_sigkill_must_end_it() -> None:
    stand, fault = Stand(), _fault("kill")
    assert fault.has_taken(_sut(stand), BEFORE) is None
    assert fault.has_reverted(_sut(stand), BEFORE) is None


def test_a_read_only_root_has_a_tmp_that_outlives_the_kill() -> None:
    fault = _fault("read_only")
    assert isinstance(fault, Fitted)
    launch = fault.launch(PROFILE)
    assert launch.options["read_only"] is True
    assert [folder.rpartition("/")[2] for folder in launch.kept] == ["tmp"]


def test_what_fills_memory_is_named_where_it_could_not_be_sent_away() -> None:
    fault = _fault("memory_filled")
    sut = _sut(Stand())
    assert fault.mend(sut) == "docker start stand"
    assert fault.has_reverted(sut, BEFORE) is not None
    assert fault.has_taken(sut, BEFORE) is None
    assert fault.has_taken(_sut(Stand(status="exited")), BEFORE) == "exited, exit code 0"


@pytest.mark.parametrize("name", ["worker", "pids", "open_files", "memory_shrunk", "memory_filled"])
def test_a_container_that_gave_up_is_started_again(name: str) -> None:
    stand = Stand(status="exited")
    _fault(name).revert(_sut(stand))
    assert (stand.status, stand.starts) == ("running", 2)
    assert _fault(name).expects.exits == "may"


@pytest.mark.parametrize("name", ["cpu", "full_tmp"])
def test_what_kills_no_process_is_no_reason_to_exit(name: str) -> None:
    stand = Stand(status="exited")
    fault = _fault(name)
    assert fault.expects.exits == "never"
    fault.revert(_sut(stand))
    assert stand.starts == 1


@pytest.mark.parametrize("pid", [0, os.getpid()], ids=["none", "ours"])
def test_processes_that_are_not_the_containers_are_never_touched(pid: int) -> None:
    with pytest.raises(OutOfReach, match="not processes of this machine"):
        processes_of(_sut(Stand(pid=pid)))


@pytest.mark.parametrize("name", ["open_files", "full_tmp"])
def test_a_fault_says_why_a_container_cannot_meet_it(name: str) -> None:
    fault = _fault(name)
    assert isinstance(fault, Choosy)
    assert "not processes of this machine" in (fault.why_not(_sut(Stand())) or "")
    assert fault.why_not(_sut(Stand(status="exited"))) is None


def test_tmp_is_filled_only_where_it_has_a_size_of_its_own() -> None:
    fault = FAULTS["full_tmp"](replace(PROFILE, chaos=replace(PROFILE.chaos, tmp_mb=99)), SERIES)
    assert isinstance(fault, Fitted)
    launch = fault.launch(PROFILE)
    ((path, options),) = launch.options["tmpfs"].items()
    assert path.endswith("tmp")
    assert "size=99m" in options
    assert launch.options["mem_limit"] == f"{PROFILE.chaos.memory_mb}m"


def test_a_restart_wants_an_orderly_exit_even_while_it_loads() -> None:
    expects = _fault("restart").expects
    assert (expects.exit_rule, expects.exit_codes, expects.drains) == ("C12", (0,), False)


def test_what_may_lag_is_kept_in_the_record(tmp_path: Path) -> None:
    record = replace(GOOD, expects=_fault("cpu").expects)
    write(record, tmp_path / "cpu.jsonl")
    assert read(tmp_path / "cpu.jsonl") == record


def _needing(memory_mb: int) -> list[int]:
    tried: list[int] = []

    def step(size_mb: int) -> Step:
        tried.append(size_mb)
        return Step(memory_mb=size_mb, why_not="" if size_mb >= memory_mb else "too little", ready_s=1.0)

    found = search(step, low_mb=16, high_mb=1024)
    assert found.least_mb is None or found.least_mb in tried
    return [found.least_mb or 0, len(tried)]


@pytest.mark.parametrize("needed_mb", [17, 100, 333, 1024])
def test_the_least_memory_is_found_within_3_percent(needed_mb: int) -> None:
    least_mb, steps = _needing(needed_mb)
    assert needed_mb <= least_mb <= max(needed_mb + 1, needed_mb * 1.04)
    assert steps <= 12


def test_the_least_that_is_tried_may_hold() -> None:
    assert _needing(10) == [16, 2]


def test_it_is_said_where_not_even_the_most_holds() -> None:
    found = search(lambda size_mb: Step(memory_mb=size_mb, why_not="it died"), low_mb=16, high_mb=64)
    assert (found.least_mb, str(found)) == (None, "not even 64 MiB hold the load: it died")


def test_each_step_and_the_result_is_a_line() -> None:
    holding, short = Step(memory_mb=64, ready_s=1.5), Step(memory_mb=16, why_not="it died")
    found = search(
        lambda size_mb: replace(holding if size_mb > 40 else short, memory_mb=size_mb), low_mb=16, high_mb=64
    )
    assert str(holding).split() == ["64", "MiB", "holds,", "ready", "after", "1.5", "s"]
    assert str(found) == "the least memory that holds the load: 41 MiB; 40 MiB do not"
    assert json.dumps(str(short))


def test_wrong_sizes_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chaos", "memory", "--low", "64", "--high", "64"]) == 4
    assert "--low 64 must be less than --high 64" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="4"):
        main(["chaos", "memory", "--low", "1"])
