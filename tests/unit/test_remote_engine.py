"""An engine elsewhere: its containers are reached where it is, and what needs this machine says so."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from harness.contract.profile import load_profile
from harness.contract.series import generate
from harness.faults import faults_of
from harness.faults.fault import Choosy, Fitted
from harness.system.container import State
from harness.system.daemon import EngineMissing, Machine
from harness.system.processes import OutOfReach

if TYPE_CHECKING:
    from harness.faults.fault import Fault
    from harness.system.container import Sut

PROFILE = load_profile()
FAULTS = faults_of(PROFILE, generate(seed=1, seconds=120))
NEED_THIS_MACHINE = {"worker", "open_files", "full_tmp", "memory_filled", "clock", "reset"}


@pytest.mark.parametrize(
    ("address", "reached_at"),
    [
        ("unix:///var/run/docker.sock", "127.0.0.1"),
        ("npipe:////./pipe/docker_engine", "127.0.0.1"),
        ("tcp://127.0.0.2:2375", "127.0.0.2"),
        ("tcp://192.0.2.7:2376", "192.0.2.7"),
        ("ssh://somebody@192.0.2.7", "192.0.2.7"),
        ("tcp://localhost:2375", "127.0.0.1"),
    ],
)
def test_ports_are_published_where_this_machine_reaches_them(address: str, reached_at: str) -> None:
    assert Machine(address=address).address_of_containers == reached_at


def test_a_host_without_an_address_is_said() -> None:
    with pytest.raises(EngineMissing, match=r"host 'no\.such\.host\.invalid' has no address"):
        _ = Machine(address="tcp://no.such.host.invalid:2375").address_of_containers


class Elsewhere:
    """A container of an engine elsewhere: its first process has a number that here is nobody's, or another's."""

    name, image, profile = "elsewhere", "somebody/sut:1", PROFILE
    container = SimpleNamespace(attrs={"State": {"Pid": 1}}, id="0123abcd", reload=lambda: None)

    def state(self) -> State:
        """Say that it runs."""
        return State(status="running", exit_code=0, oom_killed=False, restarts=0)

    def wait_ready(self) -> float:
        """Say that it serves."""
        return 1.0


def _why_not(fault: Fault) -> str | None:
    try:
        if isinstance(fault, Fitted):
            fault.launch(PROFILE)
    except OutOfReach as why_not:
        return str(why_not)
    return fault.why_not(cast("Sut", Elsewhere())) if isinstance(fault, Choosy) else None


def test_what_needs_this_machine_is_skipped_with_a_reason_and_the_rest_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.7:2376")
    monkeypatch.setattr("harness.faults.dns.silent_address", lambda: "192.0.2.9")
    reasons = {name: _why_not(fault) for name, fault in FAULTS.items()}
    skipped = {name: reason for name, reason in reasons.items() if reason is not None}
    assert skipped.keys() == NEED_THIS_MACHINE
    assert all("this machine" in reason for reason in skipped.values())
