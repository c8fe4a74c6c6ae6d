"""What GitHub's runner shows of a verdict: annotations, and the summary of the job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.contract.verdict import Verdict
from harness.report.html import render_summary
from harness.report.legible import legible, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.report.page import Page

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
# A step shows so many errors, and no more.
_SHOWN = 10
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def commands(page: Page) -> Iterator[str]:
    """Yield the runner's commands that say a verdict: an error for each broken rule, or what stands in its place."""
    told = f"{page.image} {page.headline}. {page.why}"
    if page.verdict is Verdict.PASSED:
        yield _command("notice", title="PASSED", message=told)
    elif not page.broken:
        yield _command("error", title=page.verdict.value, message=told)
    # The last one is kept for what does not fit.
    room = _SHOWN if len(page.broken) <= _SHOWN else _SHOWN - 1
    for broken in page.broken[:room]:
        message = f"{broken.sentence}\n{broken.gist}\n{broken.failed} of {broken.checks} checks failed."
        yield _command("error", title=f"{broken.rule} is broken", message=message)
    if left := page.broken[room:]:
        names = ", ".join(broken.rule for broken in left)
        yield _command("error", title=f"{len(left)} more rules are broken", message=names)


def deaf(token: str) -> tuple[str, str]:
    """Return the commands between which the runner obeys none: a container's log may hold some."""
    return f"::stop-commands::{token}", f"::{token}::"


def write_summary(page: Page, environ: Mapping[str, str]) -> None:
    """Add the page's gist to the summary of the job, where the runner names a file for it."""
    if name := environ.get(SUMMARY_VARIABLE):
        with Path(name).open("a", encoding="utf-8") as sheet:
            sheet.write(render_summary(page))


def _command(name: str, *, title: str, message: str) -> str:
    return f"::{name} title={_escaped(one_line(title, 120), _PROPERTY)}::{_escaped(message, _DATA)}"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(letter, letter) for letter in legible(text))
