"""A release on a terminal: a line for each step, a line for the outcome."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.release.rollout.judge import Judgement, Step
    from harness.release.rollout.record import Header

_WIDTH = 120


def plan_line(header: Header) -> str:
    """Say what is to be sent, and how much of it the challenger sees before anything is decided for good."""
    share, calls = header.shares[0], round(header.shares[0] * header.rate_per_s * header.bake_s)
    steps = ", ".join(f"{one:.0%}" for one in header.shares)
    names = f"{header.challenger} in place of {header.champion}"
    seen = f"at {share:.0%} it sees {calls} of them, {calls / header.planned:.1%}"
    return f"{names}: {header.planned} calls, {header.bake_s:g} s each at {steps}; {seen}"


def step_line(step: Step) -> str:
    """Say what a step came to: the challenger's share, its calls, what each alarm read last."""
    head = f"{step.share:4.0%} for {step.ended_s - step.began_s:4.0f} s, {step.answers} calls: "
    readings = ["ALARM " * (one.verdict == "FAILED") + f"{one.alarm} {one.says}" for one in step.readings]
    return textwrap.fill(head + " | ".join(readings), width=_WIDTH, subsequent_indent="     ")


def outcome_line(judgement: Judgement) -> str:
    """Say how it ended, what of the planned requests the challenger saw, and how the callers fared."""
    header, callers = judgement.header, judgement.callers
    return textwrap.fill(
        f"{judgement.outcome}: {header.challenger} in place of {header.champion}: {judgement.why}. It saw "
        f"{judgement.exposed} calls, {judgement.exposed / header.planned:.1%} of the {header.planned} planned; of "
        f"{callers.sent} sent {callers.answered} were answered, {callers.spoilt} spoilt, {callers.lost} lost",
        width=_WIDTH,
        subsequent_indent="     ",
    )
