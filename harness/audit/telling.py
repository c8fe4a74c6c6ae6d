"""An audit in words, for a terminal: what blocks first, each with what to do."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from harness.audit.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.audit.finding import Audit, Finding

_WIDTH, _INDENT = 120, " " * 9


def told(audit: Audit) -> str:
    """Return the audit as lines."""
    return "\n".join(_lines(audit))


def _lines(audit: Audit) -> Iterator[str]:
    for severity in Severity:
        for finding in (one for one in audit.findings if one.severity is severity):
            yield from _of(finding)
    for sentence in audit.untold:
        yield f"UNTOLD   {sentence}"
    counts = [f"{sum(one.severity is severity for one in audit.findings)} {severity.value}" for severity in Severity]
    yield f"{audit.subject} {audit.name}: {audit.decision} ({', '.join(counts)})"


def _of(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity.value.upper():<9}{finding.id}"
    yield from textwrap.wrap(finding.says, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
    for place in (f"example_{number}" for number in range(1, 4)):
        if place in finding.numbers:
            yield f"{_INDENT}- {finding.numbers[place]}"
    yield from textwrap.wrap(f"-> {finding.advice}", _WIDTH, initial_indent=_INDENT, subsequent_indent=f"{_INDENT}   ")
