"""The process that fills a memory group: the kernel kills another, and it goes with the harness."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.system import hog_process
from harness.system.cgroup import Group, locate
from harness.system.hog import CannotFill, Hog, why_not_fill
from harness.system.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
LIMIT_MIB = 64
LIVES = "held = b'x' * (32 << 20); print('held', flush=True); import time; time.sleep(60)"
DIES = """
import sys, time
from pathlib import Path
from harness.system.cgroup import Group
from harness.system.hog import Hog
hog = Hog()
hog.enter(Group(folder=Path(sys.argv[1]), is_unified=sys.argv[2] == "True"))
print(hog.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def group() -> Iterator[Group]:
    """Make a memory group of this machine, where it lets us, that may hold 64 MiB."""
    rows = Path("/proc/self/cgroup").read_text().splitlines()
    parent = locate("memory", rows=rows, mounts=Path("/proc/self/mountinfo").read_text().splitlines())
    if parent is None or parent.is_unified or not parent.may_be_joined:
        pytest.skip("this machine lets us make no memory group")
    made = Group(folder=parent.folder / f"test-{os.getpid()}", is_unified=parent.is_unified)
    made.folder.mkdir()
    (made.folder / "memory.limit_in_bytes").write_text(str(LIMIT_MIB * MIB))
    yield made
    wait_for(lambda: made.members.read_text() == "" or None, subject="the group to be empty", budget_s=5)
    made.folder.rmdir()


@pytest.fixture
def victim(group: Group) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process in the group that holds half of what there is."""
    join = f"open({str(group.members)!r}, 'w').write(str(__import__('os').getpid())); "
    with subprocess.Popen([sys.executable, "-c", join + LIVES], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_the_kernel_kills_another_and_what_it_held_is_free_again(group: Group, victim: subprocess.Popen[bytes]) -> None:
    hog = Hog()
    hog.enter(group)
    pid = hog.pid
    assert victim.wait(timeout=10) == -signal.SIGKILL
    assert hog.kills() == 1
    hog.leave()
    hog.leave()
    assert hog.pid == 0
    assert not Path(f"/proc/{pid}").exists()


def test_it_goes_with_the_last_of_the_group(group: Group, victim: subprocess.Popen[bytes]) -> None:
    hog = Hog()
    hog.enter(group)
    victim.wait(timeout=10)
    wait_for(lambda: group.members.read_text() == "" or None, subject="the hog to end", budget_s=5)
    hog.leave()


def test_it_dies_with_the_harness(group: Group) -> None:
    sleeper = [
        sys.executable,
        "-c",
        f"open({str(group.members)!r}, 'w').write(str(__import__('os').getpid())); {LIVES}",
    ]
    with subprocess.Popen(sleeper, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        (group.folder / "memory.limit_in_bytes").write_text(str(4 * LIMIT_MIB * MIB))
        command = [sys.executable, "-c", DIES, str(group.folder), str(group.is_unified)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as harness:
            assert harness.stdout is not None
            pid = int(harness.stdout.readline())
            harness.kill()
        wait_for(lambda: None if Path(f"/proc/{pid}").exists() else True, subject="the hog to end", budget_s=5)
        other.kill()


def test_a_group_that_cannot_be_joined_is_said(tmp_path: Path) -> None:
    (tmp_path / "memory.events").write_text("oom_kill 0\n")
    hog = Hog()
    with pytest.raises(CannotFill, match="no process of ours got into"):
        hog.enter(_without_members(tmp_path))
    assert hog.pid == 0


def _without_members(folder: Path) -> Group:
    (folder / "cgroup.procs").mkdir()
    return Group(folder=folder, is_unified=True)


def test_what_takes_no_more_is_no_error() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    assert not hog_process.takes(full)
    os.close(full)
    with pytest.raises(OSError, match="Bad file descriptor"):
        hog_process.takes(full)


@pytest.mark.parametrize(
    ("rights", "largest_mib", "says"),
    [
        ("000001ffffffffff", 1, "None"),
        ("000001fffeffffff", 1, "its largest process holds 1.0 MiB, so the kernel would kill ours"),
        ("000001fffeffffff", 40, "None"),
    ],
    ids=["exempt", "not exempt and larger", "not exempt and smaller"],
)
def test_only_where_the_kernel_would_kill_another(tmp_path: Path, rights: str, largest_mib: int, says: str) -> None:
    (tmp_path / "cgroup.procs").write_text("")
    (tmp_path / "status").write_text(f"Name:\thog\nCapEff:\t{rights}\n")
    group = Group(folder=tmp_path, is_unified=True)
    found = why_not_fill(group, largest_bytes=largest_mib * MIB, status=tmp_path / "status")
    assert str(found).startswith(says)


def test_only_where_ours_may_join(tmp_path: Path) -> None:
    found = why_not_fill(Group(folder=tmp_path, is_unified=True), largest_bytes=MIB)
    assert found == "no process of ours may join its own, it takes root on the machine of Docker"
