"""What an audit finds: each finding with its numbers and a way out, and what all of them mean together."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Number = float | int | str | None
Subject = Literal["data", "model"]
# Columns of a drawing, all equally long.
Series = dict[str, list[float | None]]


DECISIONS = {0: "nothing blocks", 1: "blocked", 2: "could not tell"}


class Severity(StrEnum):
    """What a finding means for a promotion."""

    BLOCKS = "blocks"
    WARNS = "warns"
    INFORMS = "informs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a reviewer should know.

    `id` names what was found, never how much (`gaps.rows_are_no_seconds`); `says` is a sentence with the figures;
    `numbers` holds them with their units in the names; `advice` says what to do.
    """

    id: str
    severity: Severity
    says: str
    advice: str
    numbers: Mapping[str, Number] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """All that was found about one data set or one model, and what could not be told; `series` is for drawing."""

    subject: Subject
    name: str
    findings: Sequence[Finding]
    untold: Sequence[str] = ()
    series: Mapping[str, Series] = field(default_factory=dict)

    @property
    def exit_status(self) -> int:
        """0: nothing blocks; 1: something does; 2: it could not be told."""
        if any(finding.severity is Severity.BLOCKS for finding in self.findings):
            return 1
        return 2 if self.untold else 0

    @property
    def decision(self) -> str:
        """The exit status in words."""
        return DECISIONS[self.exit_status]

    def to_json(self) -> str:
        """Write as JSON, with the exit status in words."""
        return json.dumps({"decision": self.decision, **asdict(self)}, indent=2, ensure_ascii=False, allow_nan=False)
