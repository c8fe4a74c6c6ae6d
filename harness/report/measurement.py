"""The load measurement of a run as its reader meets it: judged again from its record, with its figures and curves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from harness.load.judge import judge_load
from harness.load.plan import read_plan
from harness.load.record import RecordBroken, read_record
from harness.report.legible import clipped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from markupsafe import Markup

    from harness.load.finding import Finding, LoadJudgement
    from harness.load.record import LoadRecord

FOLDER = "load"
_TEXT = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one subject of the measurement came to, and why where it did not pass."""

    subject: str
    verdict: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measurement under load; `latencies` are (name, milliseconds), `curves` a part of a page or None."""

    verdict: str
    rate_per_s: float
    budget_s: float
    judged: tuple[Judged, ...]
    latencies: tuple[tuple[str, float], ...]
    facts: str
    alt: str
    curves: Markup | None = None


def read_measurement(folder: Path, verdict: Mapping[str, Any]) -> tuple[LoadRecord, LoadJudgement] | None:
    """Read and judge the record of a run; None where it has none, or an earlier run left it in the folder."""
    record_file = folder / FOLDER / "record.jsonl"
    if not record_file.is_file() or not _is_of(record_file, verdict):
        return None
    try:
        plan = read_plan((folder / FOLDER / "plan.json").read_text(encoding="utf-8"))
        record = read_record(record_file, plan)
    except (OSError, ValueError, KeyError, TypeError, RecordBroken):
        return None  # the checks that made it could not judge it either, and say so
    return record, judge_load(record, plan.profile)


def measurement_of(record: LoadRecord, judgement: LoadJudgement) -> Measurement:
    """Say in words what a record shows."""
    found = judgement.figures.latencies
    spans = {"p50": found.p50_s, "p90": found.p90_s, "p99": found.p99_s, "p99.9": found.p999_s, "max": found.longest_s}
    rate_per_s, budget_s = record.plan.rate_per_s, record.plan.profile.http.budget_s
    return Measurement(
        verdict=judgement.verdict.value,
        rate_per_s=rate_per_s,
        budget_s=budget_s,
        judged=tuple(_judged(finding) for finding in judgement.findings.values()),
        latencies=tuple((name, span_s * 1_000) for name, span_s in spans.items()),
        facts=str(judgement.figures),
        alt=(
            f"Latency of {found.count} answers at {rate_per_s:g} requests/s over time and by percentile: p50 "
            f"{found.p50_s * 1000:.1f} ms, p99 {found.p99_s * 1000:.1f} ms, longest {found.longest_s * 1000:.1f} ms, "
            f"the budget being {budget_s:g} s; offered {judgement.figures.offered_per_s:.1f}/s, "
            f"answered {judgement.figures.achieved_per_s:.1f}/s. {judgement.verdict.value}."
        ),
    )


def _judged(finding: Finding) -> Judged:
    why = "; ".join([*map(str, finding.violations), *([finding.reason] if finding.reason else [])])
    return Judged(subject=finding.subject, verdict=finding.verdict.value, why=clipped(why, _TEXT))


def _is_of(path: Path, verdict: Mapping[str, Any]) -> bool:
    started = verdict["started"]
    return isinstance(started, str) and path.stat().st_mtime >= datetime.fromisoformat(started).timestamp()
