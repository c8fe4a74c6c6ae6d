"""The chaos experiments of a run as its reader meets them: judged again from their records, with their timelines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from harness.contract.verdict import Verdict
from harness.experiment.judge import judge
from harness.experiment.record import RecordBroken, read, tally
from harness.report.legible import clipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from markupsafe import Markup

    from harness.contract.judge import Violation
    from harness.experiment.judge import Judgement
    from harness.experiment.record import Record

FOLDER = "chaos"
_TEXT, _LOG = 1_500, 2_000
_WORST_FIRST = {Verdict.FAILED: 0, Verdict.UNKNOWN: 1, Verdict.PASSED: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment: what it came to, and what was seen; `timeline` is a part of a page, None where it was left out.

    `recovered_after_s` is counted from the revert, `granted_s` what the profile grants for it; `fate` is what became of
    a container that the fault may end; `alt` says in words what the timeline shows.
    """

    name: str
    verdict: Verdict
    rules: tuple[str, ...]
    recovered_after_s: float | None
    granted_s: float
    fate: str
    violations: tuple[Violation, ...]
    doubts: tuple[str, ...]
    remarks: tuple[str, ...]
    probes: str
    log: str
    alt: str
    timeline: Markup | None = None


def read_experiments(folder: Path, verdict: Mapping[str, Any]) -> Iterator[tuple[Record, Judgement]]:
    """Read and judge the records of a run, not those that an earlier one left in the folder; the worst come first."""
    found = [record for path in sorted((folder / FOLDER).glob("*.jsonl")) if (record := _record(path)) is not None]
    judged = [(record, judge(record)) for record in found if _is_of(record, verdict)]
    yield from sorted(judged, key=lambda pair: _WORST_FIRST[pair[1].verdict])


def experiment_of(record: Record, judgement: Judgement) -> Experiment:
    """Say in words what a record shows."""
    logs = [look.log for look in record.looks if look.log]
    return Experiment(
        name=record.name,
        verdict=judgement.verdict,
        rules=tuple(dict.fromkeys(violation.rule for violation in judgement.violations)),
        recovered_after_s=judgement.recovered_after_s,
        granted_s=record.measure.recovery_s,
        fate=judgement.fate or "",
        violations=tuple(_shortened(violation) for violation in judgement.violations),
        doubts=tuple(clipped(doubt, _TEXT) for doubt in judgement.doubts),
        remarks=tuple(clipped(remark, _TEXT) for remark in judgement.remarks),
        probes=tally(record.invocations()),
        log=logs[-1][-_LOG:] if logs and judgement.verdict is not Verdict.PASSED else "",
        alt=_alt(record, judgement),
    )


def _record(path: Path) -> Record | None:
    try:
        return read(path)
    except (OSError, RecordBroken):
        return None  # the check that made it could not judge it either, and says so


def _is_of(record: Record, verdict: Mapping[str, Any]) -> bool:
    started = verdict["started"]
    # The start is written in whole seconds.
    return isinstance(started, str) and record.began_at >= int(datetime.fromisoformat(started).timestamp())


def _shortened(violation: Violation) -> Violation:
    expected, actual = clipped(violation.expected, _TEXT), clipped(violation.actual, _TEXT)
    return type(violation)(rule=violation.rule, expected=expected, actual=actual)


def _alt(record: Record, judgement: Judgement) -> str:
    struck_s, reverted_s, well_s = record.at("struck"), record.at("reverted"), record.at("well")
    seen = [f"Latency of every probe over time while {record.name} was tried: {tally(record.invocations())}"]
    if struck_s is not None and reverted_s is not None:
        seen.append(f"the fault lasted from {struck_s:.1f} s to {reverted_s:.1f} s")
    seen.append(f"well again at {well_s:.1f} s" if well_s is not None else "not well again")
    return f"{'; '.join(seen)}. {judgement.verdict.value}."
