"""Fill `/tmp` for a while: whatever the container wants to write there finds no room."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from harness.faults.fault import Expectation, Struck
from harness.system.container import default_launch
from harness.system.processes import OutOfReach, processes_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.system.container import Launch, State, Sut

_MIB = 1024 * 1024
_FILE = ".filled-by-the-harness"
_PIECES = (bytes(_MIB), bytes(4096))

_EXPECTS = Expectation(exits="never")


@dataclass(frozen=True, slots=True, kw_only=True)
class FullTmp:
    """A `/tmp` in memory that is `room_mb` large, full for `hold_s` seconds."""

    room_mb: int
    hold_s: float
    name: str = "full_tmp"
    leaves_trace: bool = True
    expects: Expectation = _EXPECTS

    @classmethod
    def of(cls, profile: Profile, series: Sequence[Second]) -> Self:
        """Make the fault that a profile describes."""
        del series
        return cls(room_mb=profile.chaos.tmp_mb, hold_s=profile.chaos.shortage_s)

    def launch(self, profile: Profile) -> Launch:
        """Give the container a `/tmp` that can be filled without filling the machine's disk."""
        plain = default_launch(profile)
        tmpfs = {"/tmp": f"exec,mode=1777,size={self.room_mb}m"}  # noqa: S108 - the container's, by contract
        return replace(plain, options={**plain.options, "tmpfs": tmpfs})

    def why_not(self, sut: Sut) -> str | None:
        """Say why its `/tmp` cannot be filled."""
        if not sut.state().is_up:
            return None  # the experiment will say so
        try:
            total_mb = _room(sut).f_blocks * _room(sut).f_frsize // _MIB
        except OutOfReach as error:
            return str(error)
        return None if total_mb <= self.room_mb else f"the /tmp of {sut.name} has {total_mb} MiB: too much to fill"

    def inject(self, sut: Sut) -> Struck:
        """Fill it, to the last block."""
        path = _tmp(sut) / _FILE
        at_s = time.monotonic()
        with path.open("wb", buffering=0) as file:
            for piece in _PIECES:
                _write_all(file.fileno(), piece, most_bytes=self.room_mb * _MIB)
        return Struck(at_s=at_s)

    def has_taken(self, sut: Sut, before: State) -> str | None:
        """Show that there is no room."""
        del before
        if not sut.state().is_up:
            return "the container is down"
        room = _room(sut)
        told = f"{room.f_bavail} of {room.f_blocks} blocks are free"
        return told if room.f_bavail * room.f_frsize < _MIB else None

    def revert(self, sut: Sut) -> None:
        """Make room again; a container that is down has lost its `/tmp`."""
        if sut.state().is_up:
            (_tmp(sut) / _FILE).unlink(missing_ok=True)

    def has_reverted(self, sut: Sut, before: State) -> str | None:
        """Show that there is room."""
        del before
        state = sut.state()
        if not state.is_up:
            return state.status
        return f"{_room(sut).f_bavail} blocks are free" if not (_tmp(sut) / _FILE).exists() else None

    def mend(self, sut: Sut) -> str:
        """Return the command that empties its `/tmp`."""
        return f"docker restart {sut.name}"


def _tmp(sut: Sut) -> Path:
    return processes_of(sut)[0].root / "tmp"


def _room(sut: Sut) -> os.statvfs_result:
    return os.statvfs(_tmp(sut))


def _write_all(fileno: int, piece: bytes, *, most_bytes: int) -> None:
    """Write pieces until there is no room, or as many bytes are written as there may be."""
    written = 0
    while written <= most_bytes:
        try:
            written += os.write(fileno, piece)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return
