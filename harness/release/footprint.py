"""What it costs to run: memory held, and time until it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from harness.contract.verdict import Verdict
from harness.release.finding import Finding, Number

if TYPE_CHECKING:
    from harness.release.record import Record

_MIB = 1024 * 1024


def judge_memory(record: Record) -> Finding:
    """Compare the most that each side held."""
    ours, theirs = (record.figures_of("held_bytes", side) for side in ("challenger", "champion"))
    mib = [value / _MIB for value in ours], [value / _MIB for value in theirs]
    return _judge("memory", *mib, unit="MiB", margin=record.header.release.memory_margin)


def judge_start(record: Record) -> Finding:
    """Compare how long each side took to become ready: the challenger's quickest start, the champion's slowest."""
    ours, theirs = (record.figures_of("ready_s", side) for side in ("challenger", "champion"))
    return _judge("start", ours[:1] and [min(ours)], theirs, unit="s", margin=record.header.release.start_margin)


def _judge(
    subject: Literal["memory", "start"], ours: list[float], theirs: list[float], *, unit: str, margin: float
) -> Finding:
    """FAILED over the limit by more than the champion's containers differ among themselves."""
    if not ours or not theirs:
        return Finding(subject=subject, verdict=Verdict.UNKNOWN, says="was not measured on both sides")
    found, most, spread = max(ours), max(theirs), max(theirs) / min(theirs)
    limit = most * (1 + margin)
    is_over = found > limit * spread
    verdict = Verdict.FAILED if is_over else Verdict.PASSED if found <= limit else Verdict.UNKNOWN
    between = f"{min(theirs):.3g} to {most:.3g}"
    says = f"{found:.3g} {unit}, the champion's {len(theirs)} measurements {between}; up to {limit:.3g} is granted"
    numbers: dict[str, Number] = {
        "challenger": found,
        "champion_least": min(theirs),
        "champion_most": most,
        "limit": limit,
        "unit": unit,
    }
    return Finding(subject=subject, verdict=verdict, says=says, numbers=numbers)
