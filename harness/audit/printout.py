"""An audit in words, for a terminal: what blocks first, each finding with its figures and a way out."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from harness.audit.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.audit.finding import Audit, Finding

_WIDTH = 118
_INDENT = " " * 9
_DECISIONS = {0: "nothing blocks", 1: "BLOCKED", 2: "could not tell"}


def printed(audit: Audit) -> str:
    """Return the audit as lines."""
    return "\n".join(_lines(audit))


def _lines(audit: Audit) -> Iterator[str]:
    for severity in Severity:
        for finding in audit.findings:
            if finding.severity is severity:
                yield from _finding(finding)
    for sentence in audit.untold:
        yield f"UNKNOWN  {_wrapped(sentence)}"
    counts = ", ".join(f"{_count(audit, severity)} {severity}" for severity in Severity)
    yield f"{audit.name}: {_DECISIONS[audit.exit_status]} ({counts}, {len(audit.untold)} unknown)"


def _finding(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity.upper():8} {finding.id}"
    yield f"{_INDENT}{_wrapped(finding.says)}"
    if finding.severity is not Severity.INFORMS:
        yield f"{_INDENT}{_wrapped('-> ' + finding.advice)}"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, width=_WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT).lstrip()


def _count(audit: Audit, severity: Severity) -> int:
    return sum(1 for finding in audit.findings if finding.severity is severity)
