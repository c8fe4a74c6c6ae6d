"""`harness chaos`: what can be asked about an experiment on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.experiment.judge import Judgement, judge
from harness.experiment.record import RecordBroken, read

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

_UNKNOWN = 2


def run_judge(chosen: argparse.Namespace, say: Callable[[str], None] = print) -> int:
    """Judge a record from the file alone and return the verdict's exit status: 0, 1 or 2."""
    try:
        record = read(chosen.file)
    except (OSError, RecordBroken) as error:
        say(f"harness: {error}")
        return _UNKNOWN
    judgement = judge(record)
    if chosen.plot is not None:
        from harness.report.timeline import draw  # noqa: PLC0415 - only who wants a plot waits for it

        draw(record, judgement, chosen.plot)
    content = as_json(record.name, record.image, judgement)
    say(json.dumps(content, indent=2) if chosen.format == "json" else "\n".join(_lines(content)))
    return judgement.verdict.exit_status


def as_json(name: str, image: str, judgement: Judgement) -> dict[str, Any]:
    """Return a judgement as JSON has it."""
    return {
        "schema": 1,
        "verdict": judgement.verdict.value,
        "fault": name,
        "image": image,
        "recovered_after_s": judgement.recovered_after_s,
        "fate": judgement.fate,
        "violations": [{"rule": v.rule, "expected": v.expected, "actual": v.actual} for v in judgement.violations],
        "doubts": list(judgement.doubts),
        "remarks": list(judgement.remarks),
    }


def _lines(content: dict[str, Any]) -> list[str]:
    lines = [f"{content['fault']} on {content['image']}: {content['verdict']}"]
    if content["recovered_after_s"] is not None:
        lines.append(f"well again {content['recovered_after_s']:.1f} s after the fault was reverted")
    if content["fate"] is not None:
        lines.append(f"fate     {content['fate']}")
    for violation in content["violations"]:
        lines += [f"broken   {violation['rule']}", f"  promise  {violation['expected']}"]
        lines.append(f"  actual   {violation['actual']}")
    lines += [f"unclear  {doubt}" for doubt in content["doubts"]]
    return lines + [f"step     {remark}" for remark in content["remarks"]]
