"""The fate of a container that a fault may end: killed whole, a worker replaced, a zombie, or survived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from harness.experiment.record import tally
from harness.experiment.recovery import recovered_s_of
from harness.experiment.steadiness import is_well, well_from

if TYPE_CHECKING:
    from harness.experiment.record import Look, Record

# "gave up": it ended by itself, which a container may where it lacks what it needs, or at a signal.
Fate = Literal["killed whole", "gave up", "worker replaced", "zombie", "survived"]
_BY_SIGKILL = 137


def fate_of(record: Record) -> Fate | None:
    """Say what became of it; None: the fault may end nothing, or the experiment did not come so far.

    A zombie lives on and is not well again in time once the fault is gone: that breaks the rule of recovery.
    """
    if record.expects.exits != "may" or record.at("reverted") is None:
        return None
    if (down := _down(record)) is not None:
        return "killed whole" if _is_killed(down) else "gave up"
    recovered_s = recovered_s_of(record)
    if recovered_s is None or recovered_s - (record.at("reverted") or 0.0) > record.measure.recovery_s:
        return "zombie"
    return "worker replaced" if record.memory_kills or record.expects.ends_process else "survived"


def fate_told(record: Record) -> str:
    """Say it with what was seen while the fault lasted."""
    fate, down = fate_of(record), _down(record)
    if down is not None:
        cause = "with SIGKILL" if fate == "killed whole" else "by itself"
        cause = "by the kernel, out of memory" if down.oom_killed else cause
        return f"{fate}: it ended {cause}, exit code {down.exit_code}"
    kills = f"{record.memory_kills} times the kernel was out of memory for it; " if record.memory_kills else ""
    return f"{fate}: {kills}{_served(record)}"


def _down(record: Record) -> Look | None:
    struck_s, revert_s = record.at("struck") or 0.0, record.at("revert") or 0.0
    return next((look for look in record.looks if not look.is_up and struck_s <= look.at_s <= revert_s), None)


def _is_killed(down: Look) -> bool:
    return down.oom_killed or down.exit_code == _BY_SIGKILL


def _served(record: Record) -> str:
    struck_s, revert_s = record.at("struck") or 0.0, record.at("revert") or 0.0
    meanwhile = [probe for probe in record.probes if struck_s <= probe.sent_s <= revert_s]
    if well_from(meanwhile, record.measure, since_s=struck_s) is not None:
        return "it answered rightly while the fault lasted"
    served = [probe for probe in meanwhile if probe.asked in ("good", "same")]
    late = sum(probe.outcome == "right" and not is_well(probe, record.measure) for probe in served)
    told = f"{tally(served)}, {late} of them late" if late else tally(served)
    return f"it did not serve well while the fault lasted ({told})"
