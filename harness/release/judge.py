"""The judgement of a comparison: pure, from its record alone, and the same each time."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from harness.contract.verdict import Verdict
from harness.release.accuracy import judge_difference, judge_loss, judge_skill
from harness.release.comparison import Comparison
from harness.release.finding import Finding, decide
from harness.release.footprint import judge_memory, judge_start
from harness.release.parity import judge_parity
from harness.release.sample import sample_of
from harness.release.service import judge_errors, judge_latency, judge_over_budget
from harness.release.yardstick import AlwaysValid, Fixed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.release.finding import Decision
    from harness.release.record import Header, Record

SCHEMA = 1
_JUDGES: tuple[Callable[[Comparison], Finding], ...] = (
    judge_parity,
    judge_difference,
    partial(judge_loss, measure="absolute"),
    partial(judge_loss, measure="squared"),
    judge_skill,
    judge_latency,
    judge_over_budget,
    judge_errors,
)


class CannotTell(Exception):  # noqa: N818 - named by what happened
    """The record allows no decision: it was cut short, or the champion itself did not serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was decided, subject by subject."""

    header: Header
    findings: tuple[Finding, ...]

    @property
    def decision(self) -> Decision:
        """What to do with the challenger."""
        return decide(self.findings)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences that the decision rests on: what failed, or what is open, or everything."""
        for verdict in (Verdict.FAILED, Verdict.UNKNOWN):
            if found := tuple(f"{one.subject}: {one.says}" for one in self.findings if one.verdict is verdict):
                return found
        return tuple(f"{one.subject}: {one.says}" for one in self.findings)

    @property
    def more_windows(self) -> int | None:
        """How many more windows would decide what is open; None where nothing is, or no number would."""
        open_ones = [one.more_windows for one in self.findings if one.verdict is Verdict.UNKNOWN]
        known = [count for count in open_ones if count is not None]
        return max(known) if known and len(known) == len(open_ones) else None

    def to_json(self) -> str:
        """Write as JSON."""
        content = {
            "schema": SCHEMA,
            "decision": self.decision.value,
            "reasons": self.reasons,
            "more_windows": self.more_windows,
            "champion": self.header.champion,
            "challenger": self.header.challenger,
            "ids": self.header.ids,
            "profile": self.header.profile,
            "sequential": self.header.is_sequential,
            "findings": [asdict(one) for one in self.findings],
        }
        return json.dumps(content, indent=2, ensure_ascii=False)


def judge_record(record: Record) -> Judgement:
    """Judge a record; raise `CannotTell` where it allows no decision."""
    lost = [loss for loss in record.losses if loss.run == "floor" or loss.side == "champion"]
    if lost:
        msg = f"the champion did not serve: {lost[0].says}"
        raise CannotTell(msg)
    if record.losses:
        says = f"the challenger did not serve: {record.losses[0].says}"
        gone = Finding(subject="service", verdict=Verdict.FAILED, says=says)
        return Judgement(header=record.header, findings=(gone,))
    if not record.is_whole and not record.header.is_sequential:
        msg = "the record was cut short, and how much is enough was fixed beforehand: compare again"
        raise CannotTell(msg)
    comparison = Comparison(
        match=sample_of(record, "match"),
        floor=sample_of(record, "floor"),
        header=record.header,
        yardstick=AlwaysValid() if record.header.is_sequential else Fixed(),
    )
    findings = (*judge_comparison(comparison), judge_memory(record), judge_start(record))
    return Judgement(header=record.header, findings=findings)


def judge_comparison(comparison: Comparison) -> Sequence[Finding]:
    """Judge all that the answers tell."""
    return tuple(_judged(judge, comparison) for judge in _JUDGES)


def _judged(judge: Callable[[Comparison], Finding], comparison: Comparison) -> Finding:
    """Judge one subject; where the champion fails beside itself too, nobody can tell."""
    finding = judge(comparison)
    if finding.verdict is not Verdict.FAILED or judge(comparison.of_the_floor()).verdict is not Verdict.FAILED:
        return finding
    says = f"{finding.says}; but the champion differs from itself as much: the measurement cannot be trusted"
    return replace(finding, verdict=Verdict.UNKNOWN, says=says)
