"""The container's control group, found and read with cgroups of either version."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.system.cgroup import Controller, Group, locate

ID = "0123abcd"
OLD_ROWS = ["12:cpu,cpuacct:/docker/0123abcd", "4:memory:/docker/0123abcd", "8:pids:/docker/0123abcd", "0::/"]
OLD_MOUNTS = [
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct",
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids",
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
]
NEW_ROWS = ["0::/system.slice/docker-0123abcd.scope"]
NEW_MOUNTS = ["29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot"]


@pytest.mark.parametrize(
    ("controller", "folder"),
    [
        ("memory", "/sys/fs/cgroup/memory/docker/0123abcd"),
        ("cpu", "/sys/fs/cgroup/cpu,cpuacct/docker/0123abcd"),
        ("pids", "/sys/fs/cgroup/pids/docker/0123abcd"),
    ],
)
def test_each_controller_of_version_1_has_a_hierarchy(controller: Controller, folder: str) -> None:
    assert locate(controller, rows=OLD_ROWS, mounts=OLD_MOUNTS) == Group(folder=Path(folder), is_unified=False)


@pytest.mark.parametrize("controller", ["memory", "cpu", "pids"])
def test_version_2_has_one_hierarchy(controller: Controller) -> None:
    expected = Group(folder=Path("/sys/fs/cgroup/system.slice/docker-0123abcd.scope"), is_unified=True)
    assert locate(controller, rows=NEW_ROWS, mounts=NEW_MOUNTS) == expected


def test_a_mount_may_show_a_part_of_the_hierarchy_alone() -> None:
    part = ["35 31 0:32 /docker /groups rw,relatime - cgroup cgroup rw,memory"]
    found = locate("memory", rows=OLD_ROWS, mounts=part)
    assert found is not None
    assert found.folder == Path("/groups/0123abcd")
    other = ["35 31 0:32 /dock /groups rw,relatime - cgroup cgroup rw,memory"]
    assert locate("memory", rows=OLD_ROWS, mounts=other) is None


def test_a_hierarchy_that_is_not_mounted_is_not_there() -> None:
    assert locate("memory", rows=OLD_ROWS, mounts=OLD_MOUNTS[:2]) is None
    assert locate("memory", rows=[], mounts=NEW_MOUNTS) is None


def _group(folder: Path, *, is_unified: bool, **files: str) -> Group:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")
    return Group(folder=folder, is_unified=is_unified)


def test_limits_of_version_1_are_read(tmp_path: Path) -> None:
    files = {"memory__limit_in_bytes": "1073741824", "cpu__cfs_quota_us": "1000", "cpu__cfs_period_us": "100000"}
    group = _group(tmp_path, is_unified=False, pids__max="1", **files)
    assert (group.memory_limit_bytes, group.cpu_share, group.pids_limit) == (1 << 30, 0.01, 1)


def test_limits_of_version_2_are_read(tmp_path: Path) -> None:
    group = _group(tmp_path, is_unified=True, memory__max="1073741824", cpu__max="5000 100000", pids__max="7")
    assert (group.memory_limit_bytes, group.cpu_share, group.pids_limit) == (1 << 30, 0.05, 7)


@pytest.mark.parametrize("is_unified", [True, False])
def test_no_limit_is_none(tmp_path: Path, *, is_unified: bool) -> None:
    old = {"memory__limit_in_bytes": "9223372036854771712", "cpu__cfs_quota_us": "-1", "cpu__cfs_period_us": "100000"}
    group = _group(tmp_path, is_unified=is_unified, memory__max="max", cpu__max="max 100000", pids__max="max", **old)
    assert (group.memory_limit_bytes, group.cpu_share, group.pids_limit) == (None, None, None)


def test_kills_are_counted_with_either_version(tmp_path: Path) -> None:
    old = {"memory__oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3"}
    new = {"memory__events": "low 0\nhigh 0\nmax 9\noom 5\noom_kill 2\noom_group_kill 0"}
    assert _group(tmp_path, is_unified=False, **old).memory_kills == 3
    assert _group(tmp_path, is_unified=True, **new).memory_kills == 2


def test_a_group_that_is_not_ours_may_not_be_joined(tmp_path: Path) -> None:
    assert not Group(folder=tmp_path, is_unified=True).may_be_joined
    assert _group(tmp_path, is_unified=True, cgroup__procs="1").may_be_joined
