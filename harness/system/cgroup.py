"""The container's control group as the kernel has it: limits, use and kills, where Docker runs on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.system import hog_process
from harness.system.processes import OutOfReach, processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.system.container import Sut

Controller = Literal["memory", "cpu", "pids"]

_PROC = Path("/proc")
_MOUNT_ROOT, _MOUNT_POINT = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The folder of one controller for one container; `is_unified` with cgroups of version 2."""

    folder: Path
    is_unified: bool

    @property
    def memory_limit_bytes(self) -> int | None:
        """How much memory it may hold; None: as much as it likes."""
        text = self._read("memory.max" if self.is_unified else "memory.limit_in_bytes")
        # Version 1 says "unlimited" with the largest number of whole pages.
        return None if text == "max" or int(text) >= 1 << 62 else int(text)

    @property
    def memory_events(self) -> Path:
        """The file that counts what the kernel killed in it for want of memory."""
        return self.folder / ("memory.events" if self.is_unified else "memory.oom_control")

    @property
    def memory_kills(self) -> int:
        """How many of its processes the kernel has killed for want of memory since it was made."""
        return hog_process.kills(str(self.memory_events))

    @property
    def cpu_share(self) -> float | None:
        """How much of one core it may use; None: as much as there is."""
        if self.is_unified:
            quota, period = self._read("cpu.max").split()
        else:
            quota, period = self._read("cpu.cfs_quota_us"), self._read("cpu.cfs_period_us")
        return None if quota in ("max", "-1") else int(quota) / int(period)

    @property
    def pids_limit(self) -> int | None:
        """How many processes and threads it may have; None: as many as it likes."""
        text = self._read("pids.max")
        return None if text == "max" else int(text)

    @property
    def members(self) -> Path:
        """The file of its processes."""
        return self.folder / "cgroup.procs"

    @property
    def may_be_joined(self) -> bool:
        """Whether a process of ours may be moved into it."""
        return os.access(self.members, os.W_OK)

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="ascii").strip()


def group_of(sut: Sut, controller: Controller) -> Group:
    """Return the group of a running container; raise `OutOfReach` where this machine does not show it."""
    first, *_ = processes_of(sut)
    rows = (_PROC / str(first.pid) / "cgroup").read_text().splitlines()
    mounts = (_PROC / "self" / "mountinfo").read_text().splitlines()
    found = locate(controller, rows=rows, mounts=mounts)
    if found is None or not found.folder.is_dir():
        msg = f"the {controller} control group of {sut.name} is not mounted on this machine"
        raise OutOfReach(msg)
    return found


def locate(controller: Controller, *, rows: list[str], mounts: list[str]) -> Group | None:
    """Find a controller's folder from /proc/PID/cgroup and /proc/self/mountinfo; None: it is not mounted.

    Version 1 has a line for each controller; what it has no line for lies in the one hierarchy of version 2.
    """
    paths = {name: path for _, names, path in (row.split(":", 2) for row in rows) for name in names.split(",")}
    is_unified = controller not in paths
    path = paths.get("" if is_unified else controller)
    if path is None:
        return None
    folders = (_below(mount, path) for mount in mounts if _carries(mount, controller, is_unified=is_unified))
    folder = next((folder for folder in folders if folder is not None), None)
    return None if folder is None else Group(folder=folder, is_unified=is_unified)


def _carries(mount: str, controller: Controller, *, is_unified: bool) -> bool:
    kind, _, options = mount.partition(" - ")[2].split(" ", 2)
    return kind == "cgroup2" if is_unified else kind == "cgroup" and controller in _options(options)


def _options(rest: str) -> Iterator[str]:
    yield from rest.rsplit(maxsplit=1)[-1].split(",")


def _below(mount: str, path: str) -> Path | None:
    """Return where a path of the hierarchy lies under a mount, which may show a part of the hierarchy alone."""
    fields = mount.split()
    root = fields[_MOUNT_ROOT].rstrip("/")
    if not f"{path}/".startswith(f"{root}/"):
        return None
    return Path(fields[_MOUNT_POINT]) / path.removeprefix(root).lstrip("/")
