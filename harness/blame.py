"""Say whose failure it is: a promise that the sut broke, or an error of ours or the machine's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness import recorder
from harness.contract.difference import difference
from harness.contract.judge import Violated
from harness.options import CHOICE
from harness.report.legible import legible
from harness.report.results import Evidence, as_row
from harness.system.client import Exchange, NoAnswer
from harness.system.container import SutLost

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from harness.contract.profile import Profile
    from harness.system.container import Sut

# Raised by what the sut did or did not do; everything else is an error of ours.
THEIRS = (AssertionError, NoAnswer, SutLost)


def blame(
    item: pytest.Item, error: BaseException, report: pytest.TestReport, profile: Profile, sut: Sut | None
) -> None:
    """Write down in the report whose failure it is, and which rules are broken."""
    causes = list(_causes(error))
    theirs = [cause for cause in causes if isinstance(cause, THEIRS)]
    if not theirs:
        _note(item, report, [(recorder.OURS, type(error).__name__)])
        return
    violated = list(dict.fromkeys(rule_id for cause in theirs for rule_id in _violated(cause, sut)))
    log = sut.story() if sut is not None else ""
    vars(report)[recorder.EVIDENCE] = as_row(_evidence(theirs, log))
    _keep_bodies(theirs, report, item.config.stash[CHOICE].report_dir)
    if violated and all(rule_id in profile.waived for rule_id in violated):
        _waive(item, report, violated, profile)
        return
    _note(item, report, [(recorder.VIOLATED, rule_id) for rule_id in violated if rule_id not in profile.waived])
    if log:
        report.sections.append(("sut", legible(log)))


def _note(item: pytest.Item, report: pytest.TestReport, properties: list[tuple[str, object]]) -> None:
    """Write properties into this report, and into the item: junit.xml takes them from its last report."""
    report.user_properties += properties
    item.user_properties += properties


def _causes(error: BaseException) -> list[BaseException]:
    """Return the error, or those inside of it where Hypothesis bundles several."""
    if isinstance(error, BaseExceptionGroup):
        return [cause for inner in error.exceptions for cause in _causes(inner)]
    return [error]


def _violated(cause: BaseException, sut: Sut | None) -> list[str]:
    if isinstance(cause, Violated):
        return [violation.rule for violation in cause.violations]
    if isinstance(cause, SutLost) or (isinstance(cause, NoAnswer) and sut is not None and not sut.is_there()):
        return ["C18"]
    return ["C13"] if isinstance(cause, NoAnswer) and cause.failure == "timed out" else []


def _evidence(causes: Sequence[BaseException], log: str) -> Evidence:
    """Gather what the owner needs to see the failure and to repeat it; the first example stands for all."""
    violated = [cause for cause in causes if isinstance(cause, Violated)]
    lines = [getattr(_exchange_of(cause), "curl", "") for cause in causes]
    example = next((cause.example for cause in violated if cause.example is not None), None)
    return Evidence(
        violations=tuple(violation for cause in violated for violation in cause.violations),
        again=next(filter(None, lines), ""),
        bodies=tuple(name for name, _ in _bodies(causes)),
        log=log,
        says=example.says if example is not None else "",
        changes=difference(example) if example is not None else (),
    )


def _exchange_of(cause: BaseException) -> object:
    return cause.exchange if isinstance(cause, Violated) else cause


def _bodies(causes: Sequence[BaseException]) -> list[tuple[str, bytes]]:
    """Return what was sent and is too long to be printed, each under the name of its file."""
    sent = [_exchange_of(cause) for cause in causes]
    requests = [one.request for one in sent if isinstance(one, (Exchange, NoAnswer))]
    return [request.kept_body for request in requests if request.kept_body]


def _keep_bodies(causes: Sequence[BaseException], report: pytest.TestReport, folder: Path | None) -> None:
    """Keep what was sent, where it is too long to be printed, beside the report."""
    kept = _bodies(causes)
    for name, body in kept if folder is not None else ():
        path = (folder or Path()) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    if kept:
        place = f"run the line in {folder}" if folder is not None else "bodies are kept with --sut-report-dir alone"
        report.sections.append(("again", f"{place}; a window is refused for its age soon after it was sent"))


def _waive(item: pytest.Item, report: pytest.TestReport, violated: list[str], profile: Profile) -> None:
    reasons = "; ".join(f"{rule_id}: {profile.waived[rule_id]}" for rule_id in violated)
    report.outcome = "skipped"
    report.longrepr = (str(item.path), item.location[1] or 0, f"Skipped: waived: {reasons}")
    report.user_properties.append((recorder.WAIVED, reasons))
