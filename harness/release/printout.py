"""A judgement on a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.release.finding import Finding
    from harness.release.judge import Judgement

_WIDTH = 120
_INDENT = " " * 24


def printed(judgement: Judgement) -> str:
    """Return the decision and a paragraph for each subject."""
    header = judgement.header
    lines = [f"{judgement.decision}: {header.challenger} in place of {header.champion}"]
    lines += [_paragraph(finding) for finding in judgement.findings]
    if judgement.more_windows:
        lines.append(f"{judgement.more_windows} more windows would decide it, if what was seen stayed.")
    return "\n".join(lines)


def _paragraph(finding: Finding) -> str:
    more = f" {finding.more_windows} more would decide." if finding.more_windows else ""
    head = f"{finding.verdict:8} {finding.subject:14} "
    return textwrap.fill(head + finding.says + more, width=_WIDTH, subsequent_indent=_INDENT)
