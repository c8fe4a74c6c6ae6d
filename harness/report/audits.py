"""What the audits of data and of a model found, kept beside a report as JSON, and shown as a section of its page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.audit.finding import Severity
from harness.report.svg import inline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from markupsafe import Markup

    from harness.audit.finding import Audit

_STATES = {"nothing blocks": "passed", "blocked": "failed", "could not tell": "unknown"}
# How a page marks what is found, with the looks that it has for verdicts.
_LOOKS = {Severity.BLOCKS: "failed", Severity.WARNS: "unknown", Severity.INFORMS: "not run"}
# What the drawings show, for who cannot see them; their figures are those of the findings.
_ALTS = {
    "data": "Closes and their volatility over time, how long steps and windows of rows last, and what a move tells of "
    "the moves after it; the figures are among the findings above.",
    "model": "The model's error beside persistence's by regime, what came after the moves that it predicted, its "
    "answers at other price levels, and how far each field moves them; the figures are among the findings above.",
}


class AuditUnreadable(Exception):  # noqa: N818 - named by what happened
    """A file that should hold an audit does not; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFinding:
    """One finding: `look` is how it is marked, `numbers` are pairs of a name and a figure as it is read."""

    id: str
    severity: str
    look: str
    says: str
    advice: str
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSection:
    """One audit; `curves` are its drawings, if it has any, and `alt` says what they show."""

    subject: str
    name: str
    decision: str
    state: str
    counts: str
    findings: tuple[ShownFinding, ...]
    untold: tuple[str, ...]
    curves: Markup | None
    alt: str


def write_audit(audit: Audit, folder: Path) -> Path:
    """Write an audit into a report's folder, whole or not at all, in the place of one before; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"audit-{audit.subject}.json"
    unfinished = path.with_suffix(".json.part")
    unfinished.write_text(audit.to_json(), encoding="utf-8")
    unfinished.replace(path)
    return path


def read_audits(folder: Path) -> tuple[AuditSection, ...]:
    """Return the audits in a folder, by their subjects; raise `AuditUnreadable` for a file that is none."""
    return tuple(_section(path) for path in sorted(folder.glob("audit-*.json")))


def _section(path: Path) -> AuditSection:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _shown(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path} holds no audit: {type(error).__name__}: {error}"
        raise AuditUnreadable(msg) from error


def _shown(content: Mapping[str, Any]) -> AuditSection:
    findings = tuple(
        _finding(one) for severity in Severity for one in content["findings"] if one["severity"] == severity.value
    )
    counts = [f"{sum(one.severity == severity.value for one in findings)} {severity.value}" for severity in Severity]
    series = content.get("series") or {}
    alt = _ALTS[content["subject"]]
    return AuditSection(
        subject=content["subject"],
        name=content["name"],
        decision=content["decision"],
        state=_STATES[content["decision"]],
        counts=", ".join(counts),
        findings=findings,
        untold=tuple(content["untold"]),
        curves=_curves(content["subject"], series, alt),
        alt=alt,
    )


def _finding(one: Mapping[str, Any]) -> ShownFinding:
    return ShownFinding(
        id=one["id"],
        severity=one["severity"],
        look=_LOOKS[Severity(one["severity"])],
        says=one["says"],
        advice=one["advice"],
        numbers=tuple((name, _figure(number)) for name, number in one["numbers"].items()),
    )


def _figure(number: float | str | None) -> str:
    if number is None:
        return "none"
    if isinstance(number, float):
        return f"{number:.6g}"
    return f"{number:,}" if isinstance(number, int) else number


def _curves(subject: str, series: Mapping[str, Any], alt: str) -> Markup | None:
    if not series:
        return None
    from harness.report.audit_model_plots import draw_model  # noqa: PLC0415 - matplotlib takes a second
    from harness.report.audit_plots import draw_data  # noqa: PLC0415 - likewise
    from harness.report.drawing import drawn_as_text  # noqa: PLC0415 - likewise

    with drawn_as_text():
        return inline({"data": draw_data, "model": draw_model}[subject](series), name=f"audit-{subject}", alt=alt)
