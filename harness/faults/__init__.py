"""The faults that an experiment can inject, by name; a new one is a file and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.faults.aborted import aborted
from harness.faults.bandwidth import bandwidth
from harness.faults.barrage import barrage
from harness.faults.black_hole import black_hole
from harness.faults.burst import burst
from harness.faults.clock import ClockAhead
from harness.faults.cpu import Scarce
from harness.faults.cut import Cut
from harness.faults.delay import delay
from harness.faults.dns import NoNames
from harness.faults.filled import Fill
from harness.faults.full_tmp import FullTmp
from harness.faults.half_open import half_open
from harness.faults.idle import idle
from harness.faults.jitter import jitter
from harness.faults.kill import FATAL, Kill
from harness.faults.memory import Starve
from harness.faults.not_reading import not_reading
from harness.faults.open_files import NoFiles
from harness.faults.pause import Pause
from harness.faults.pids import NoThreads
from harness.faults.poison import poison
from harness.faults.read_only import ReadOnly
from harness.faults.reset import reset
from harness.faults.restart import Restart
from harness.faults.shrunk import Shrink
from harness.faults.slow_bodies import slow_bodies
from harness.faults.slow_close import slow_close
from harness.faults.slow_headers import slow_headers
from harness.faults.stop import Stop
from harness.faults.truncated import truncated
from harness.faults.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.fault import Fault

FAULTS: Mapping[str, Callable[[Profile, Sequence[Second]], Fault]] = {
    "kill": Kill.of,
    "pause": Pause.of,
    "pause_brief": Pause.brief,
    "pause_abandoned": Pause.abandoned,
    "stop": Stop.of,
    "restart": Restart.of,
    "worker": Worker.of,
    "read_only": ReadOnly.of,
    "memory": Starve.of,
    "memory_shrunk": Shrink.of,
    "memory_filled": Fill.of,
    "cpu": Scarce.of,
    "pids": NoThreads.of,
    "open_files": NoFiles.of,
    "full_tmp": FullTmp.of,
    "clock": ClockAhead.of,
    "slow_headers": slow_headers,
    "slow_bodies": slow_bodies,
    "idle": idle,
    "not_reading": not_reading,
    "aborted": aborted,
    "barrage": barrage,
    "poison": poison,
    "burst": burst,
    "delay": delay,
    "jitter": jitter,
    "bandwidth": bandwidth,
    "slow_close": slow_close,
    "reset": reset,
    "half_open": half_open,
    "truncated": truncated,
    "black_hole": black_hole,
    "cut": Cut.of,
    "dns": NoNames.of,
}


def faults_of(profile: Profile, series: Sequence[Second]) -> dict[str, Fault]:
    """Return every fault that a profile asks for, by name: all kinds, and each signal that it lists."""
    signals = (Kill.by(signal) for signal in profile.chaos.kill_signals if signal != FATAL)
    faults = {name: make(profile, series) for name, make in FAULTS.items()}
    if FATAL not in profile.chaos.kill_signals:
        del faults["kill"]
    return {fault.name: fault for fault in signals} | faults
