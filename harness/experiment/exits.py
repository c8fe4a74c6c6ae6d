"""Exits: the container is down when it has to be, in the way it has to be, and at no other time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract.judge import Violation

if TYPE_CHECKING:
    from harness.experiment.record import Look, Record


def exits(record: Record) -> list[Violation]:
    """C18, or the fault's own rule: the container is down when, and as, it has to be."""
    struck_s, revert_s = record.at("struck"), record.at("revert")
    down = next((look for look in record.looks if not look.is_up), None)
    if struck_s is None or revert_s is None or record.expects.exits == "never":
        return [] if down is None else [untold(down)]
    if down is not None and down.at_s < struck_s:
        return [untold(down)]
    if record.expects.exits == "must":
        meanwhile = next((look for look in record.looks if not look.is_up and look.at_s <= revert_s), None)
        return _told_to_exit(record, meanwhile, struck_s)
    return []


def _told_to_exit(record: Record, down: Look | None, struck_s: float) -> list[Violation]:
    rule, within_s = record.expects.exit_rule, record.expects.exit_within_s
    promise = "an exit" if within_s is None else f"an exit within {within_s:g} s of the signal"
    if down is None:
        return [Violation(rule=rule, expected=promise, actual="it still ran when the fault was reverted")]
    broken = []
    if within_s is not None and down.at_s - struck_s > within_s:
        broken.append(Violation(rule=rule, expected=promise, actual=f"an exit after {down.at_s - struck_s:.1f} s"))
    if record.expects.exit_codes and down.exit_code not in record.expects.exit_codes:
        wanted = " or ".join(str(code) for code in record.expects.exit_codes)
        broken.append(Violation(rule=rule, expected=f"exit code {wanted}", actual=f"{down.exit_code}: {down.log}"))
    return broken


def untold(down: Look) -> Violation:
    """C18: it was down although nobody told it to stop."""
    cause = ", out of memory" if down.oom_killed else ""
    actual = (
        f"{down.status} with exit code {down.exit_code}{cause} after {down.at_s:.1f} s; last log lines:\n{down.log}"
    )
    return Violation(rule="C18", expected="a container that runs until it is told to stop", actual=actual)
