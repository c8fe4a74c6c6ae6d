"""An alert is a value: what is wrong and where, and the key under which it is told only once."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "warning"]
ROW_KEYS = ("target", "rule", "check")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One failed check of one rule; `row_keys` name the fields that make two alerts the same one.

    Raises ValueError where a row key is none of those that say what is wrong and where: a measured value differs from
    run to run, so a key made of one would never repeat, and the alert would be told every time.
    """

    target: str
    """The image's name as the user gave it, or the endpoint's URL."""
    rule: str
    check: str
    must: str
    evidence: str
    severity: Severity = "critical"
    row_keys: tuple[str, ...] = ROW_KEYS

    def __post_init__(self) -> None:
        unknown = [key for key in self.row_keys if key not in ROW_KEYS]
        if unknown or not self.row_keys:
            found = ", ".join(unknown) or "none"
            msg = f"row keys of an alert: found {found}, use one or more of {', '.join(ROW_KEYS)}"
            raise ValueError(msg)

    @property
    def dedup_key(self) -> str:
        """SHA-256 (64 hex digits) of the named row keys as canonical JSON: what is wrong, never when or how much."""
        row = {key: unicodedata.normalize("NFC", getattr(self, key)) for key in self.row_keys}
        canonical = json.dumps(row, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What a run says of itself; `report` is shown as given, `duration_s` in seconds."""

    verdict: str
    target: str
    profile: str
    duration_s: float
    report: str | None = None
