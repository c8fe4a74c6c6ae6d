"""The page as HTML: one file, nothing loaded from elsewhere, nothing of a container able to act in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.contract.rules import SUITES
from harness.report.legible import legible
from harness.report.times import moment, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.audits import AuditSection
    from harness.report.page import Page

_TEMPLATES = Path(__file__).parent / "templates"
# Shapes beside the colours, for those who cannot tell these apart; the words are there too.
MARKS = {"passed": "✓", "failed": "✗", "unknown": "?", "waived": "~", "not run": "\N{EN DASH}", "not promised": ""}


def render(page: Page) -> str:
    """Return the page as HTML."""
    return _environment().get_template("report.html.j2").render(page=page, suites=SUITES)


def render_audits(audits: Sequence[AuditSection]) -> str:
    """Return a page of audits alone as HTML."""
    return _environment().get_template("audits.html.j2").render(audits=audits)


def render_summary(page: Page) -> str:
    """Return the page's gist as what Markdown takes for HTML, for the summary of a job."""
    return _environment().get_template("summary.md.j2").render(page=page)


@cache  # it keeps the templates that it has compiled: most of the time of a page
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"span": span, "moment": moment, "one_line": lambda text: " ".join(text.split())}
    environment.globals |= {"marks": MARKS, "style": Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8"))}  # noqa: S704 - our own file
    return environment


def _shown(value: Any) -> Any:  # noqa: ANN401 - whatever a template prints
    """Make every text that is printed one that can be read; what is markup already was made here."""
    return legible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
