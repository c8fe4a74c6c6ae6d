"""The report of a run: read from the files in its folder, and written beside them as one page."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.report.audits import AuditSection, AuditUnreadable, read_audits, write_audit
from harness.report.experiments import FOLDER as CHAOS
from harness.report.experiments import Experiment, experiment_of, read_experiments
from harness.report.history import PAGE, earlier
from harness.report.html import render, render_audits
from harness.report.measurement import FOLDER as LOAD
from harness.report.measurement import Measurement, measurement_of, read_measurement
from harness.report.page import compose
from harness.report.results import read_results
from harness.report.svg import inline
from harness.report.verdict import FILE as VERDICT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from markupsafe import Markup

    from harness.audit.finding import Audit
    from harness.experiment.judge import Judgement
    from harness.experiment.record import Record
    from harness.report.page import Page

# All pictures of a page together: what is beyond is a file beside it.
_PICTURES_BYTES = 1_500_000


class NoReport(Exception):  # noqa: N818 - named by what happened
    """There is nothing to report on; the message says what is missing."""


def keep_audit(audit: Audit, folder: Path) -> Path:
    """Write an audit into a report's folder, and the report anew with it; return the report's path."""
    write_audit(audit, folder)
    return write_report(folder)


def write_report(folder: Path) -> Path:
    """Write the report of what is in a folder, a run, audits or both, whole or not at all; return its path."""
    audits = _audits(folder)
    is_run = (folder / VERDICT).exists() or not audits
    text = render(_page(folder, audits)) if is_run else render_audits(audits)
    path = folder / PAGE
    unfinished = path.with_suffix(".html.part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
    return path


def read_page(folder: Path) -> Page:
    """Compose the page from the files in a folder; raise `NoReport` where they hold no verdict."""
    return _page(folder, _audits(folder))


def _page(folder: Path, audits: tuple[AuditSection, ...]) -> Page:
    try:
        verdict = json.loads((folder / VERDICT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{folder} holds no verdict: {error}"
        raise NoReport(msg) from error
    measurement = _measurement(folder, verdict)
    experiments = list(_experiments(folder, verdict))
    return compose(
        verdict,
        read_results(folder),
        earlier=earlier(folder, verdict),
        experiments=experiments,
        measurement=measurement,
        audits=audits,
    )


def _audits(folder: Path) -> tuple[AuditSection, ...]:
    try:
        return read_audits(folder)
    except AuditUnreadable as error:
        raise NoReport(str(error)) from error


def _experiments(folder: Path, verdict: Mapping[str, Any]) -> Iterator[Experiment]:
    left_bytes = _PICTURES_BYTES
    for record, judgement in read_experiments(folder, verdict):
        told = experiment_of(record, judgement)
        timeline = _timeline(folder / CHAOS, record, judgement, told.alt)
        left_bytes -= len(timeline)
        yield replace(told, timeline=timeline if left_bytes >= 0 else None)


def _timeline(folder: Path, record: Record, judgement: Judgement, alt: str) -> Markup:
    """Return the timeline that was drawn when the experiment ended, or draw it now, where the run was cut short."""
    path = folder / f"{record.name}.svg"
    if not _is_drawn(path, folder / f"{record.name}.jsonl"):
        from harness.report.timeline import draw  # noqa: PLC0415 - matplotlib takes a second, and most runs draw nothing

        draw(record, judgement, path, headline=False)
    return inline(path.read_text(encoding="utf-8"), name=record.name, alt=alt)


def _measurement(folder: Path, verdict: Mapping[str, Any]) -> Measurement | None:
    found = read_measurement(folder, verdict)
    if found is None:
        return None
    told = measurement_of(*found)
    path = folder / LOAD / "load.svg"
    if not _is_drawn(path, folder / LOAD / "record.jsonl"):
        from harness.report.drawing import drawn_as_text  # noqa: PLC0415 - as above
        from harness.report.load_plots import draw  # noqa: PLC0415 - as above

        with drawn_as_text():
            draw(*found, path)
    curves = inline(path.read_text(encoding="utf-8"), name="load", alt=told.alt)
    return replace(told, curves=curves if len(curves) <= _PICTURES_BYTES else None)


def _is_drawn(path: Path, record: Path) -> bool:
    """Whether there is a picture of this record, not of one that an earlier run left under its name."""
    return path.is_file() and record.is_file() and path.stat().st_mtime >= record.stat().st_mtime
