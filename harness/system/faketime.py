"""A clock that is set from outside while a container runs: Debian's libfaketime, mounted into it and preloaded."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.system import debian
from harness.system.guard import scratch_prefix
from harness.system.processes import processes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.system.container import Sut

PACKAGE = "libfaketime"
LIBRARIES = (
    "/usr/lib/*/faketime/libfaketimeMT.so.1",
    "/usr/lib*/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
)
_THERE = "/inference-harness"
_LIBRARY, _OFFSET = "libfaketime.so.1", "offset"
# Release 0.9.10, which Debian 12 and 13 have, spoils each absolute sleep on the monotonic clock, such as Python's since
# 3.11. With that name gone from its table of symbols, sleeps go to the C library, which has the true monotonic clock.
_SPOILT_SLEEP, _PASSED_BY = b"\0clock_nanosleep\0", b"\0-lock_nanosleep\0"


def find_library(patterns: Sequence[str] = LIBRARIES) -> Path | None:
    """Return where this machine has the library; None: nowhere."""
    found = (path for pattern in patterns for path in sorted(Path("/").glob(pattern.lstrip("/"))))
    return next(found, None)


def ensure_library(say: Callable[[str], None]) -> Path | None:
    """Return where the library is, installed where it is missing and we may; None: it is not to be had here."""
    if find_library() is None and debian.is_root() and debian.has_apt():
        try:
            debian.install((PACKAGE,), say)
        except debian.PackagesMissing as error:
            say(f"the experiment with the clock will be skipped: {error}")
    return find_library()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The clock of a container, in a folder here that is mounted into it; the guard of the run removes the folder."""

    folder: Path

    @classmethod
    def made_with(cls, library: Path, *, parent: Path | None = None) -> Clock:
        """Make one that goes right."""
        folder = Path(tempfile.mkdtemp(prefix=scratch_prefix(os.getpid()), dir=parent))
        folder.chmod(0o755)  # the container's user is anybody
        copy = folder / _LIBRARY
        shutil.copyfile(library, copy)
        copy.write_bytes(copy.read_bytes().replace(_SPOILT_SLEEP, _PASSED_BY, 1))
        clock = cls(folder=folder)
        clock.set(ahead_s=0)
        return clock

    @classmethod
    def of(cls, sut: Sut) -> Clock:
        """Return the clock that a container was started with."""
        return cls(folder=next(Path(here) for here, there in sut.launch.volumes.items() if there == _THERE))

    @property
    def volumes(self) -> dict[str, str]:
        """What is mounted where."""
        return {str(self.folder): _THERE}

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make the container's programs look at this clock, for the time of day alone.

        The library takes some versions of the C library for one that needs a detour, on which threads crawl.
        """
        return {
            "LD_PRELOAD": f"{_THERE}/{_LIBRARY}",
            "FAKETIME_TIMESTAMP_FILE": f"{_THERE}/{_OFFSET}",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "NO_FAKE_STAT": "1",
        }

    @property
    def ahead_s(self) -> float:
        """How far it is ahead of this machine's, in seconds."""
        return float((self.folder / _OFFSET).read_text(encoding="ascii"))

    def set(self, *, ahead_s: float) -> None:
        """Set it, at once for every program that looks at it."""
        unfinished = self.folder / f"{_OFFSET}.part"
        unfinished.write_text(f"{ahead_s:+g}\n", encoding="ascii")
        unfinished.chmod(0o644)
        unfinished.replace(self.folder / _OFFSET)


def is_loaded_by_all(sut: Sut) -> bool:
    """Whether every process of the container has the library; raises `OutOfReach` where that cannot be seen."""
    return all(_LIBRARY in process.maps for process in processes_of(sut) if not process.has_ended)
