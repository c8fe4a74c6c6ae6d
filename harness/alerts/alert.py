"""An alert is a value: what is wrong and where, and the key under which it is told only once."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from harness.contract.profile import ALERT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Severity = Literal["critical", "warning"]
ROW_KEYS = ("target", "rule", "check")
_MEASURED = ("evidence", "must", "severity", "row", "row_keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing that is wrong: a broken rule, or a data check; `row_keys` say which two alerts are the same one.

    Raises ValueError where a row key is a measured value: it differs from run to run, so a key made of it would never
    repeat, and the alert would be told every time.
    """

    target: str
    """The image's name as the user gave it, or the endpoint's URL."""
    rule: str
    check: str
    must: str
    evidence: str
    variant: str = ""
    """Which of several that stand behind one target."""
    severity: Severity = "critical"
    row: Mapping[str, str] = field(default_factory=dict)
    """What identifies the record that is wrong, where it is one record's: columns by name."""
    row_keys: tuple[str, ...] = ROW_KEYS

    def __post_init__(self) -> None:
        wrong = [key for key in self.row_keys if key in _MEASURED]
        if wrong or not self.row_keys:
            found = ", ".join(wrong) or "none"
            msg = f"row keys of an alert: found {found}, use {', '.join(ALERT_COLUMNS)}, or columns of a record"
            raise ValueError(msg)

    @property
    def dedup_key(self) -> str:
        """SHA-256 (64 hex digits) of the named row keys as canonical JSON: what is wrong, never when or how much.

        An alert that lacks a named column, because it speaks of no record, goes by target, rule and check.
        """
        columns = {name: getattr(self, name) for name in ALERT_COLUMNS} | dict(self.row)
        names = self.row_keys if all(name in columns for name in self.row_keys) else ROW_KEYS
        row = {name: unicodedata.normalize("NFC", columns[name]) for name in names}
        canonical = json.dumps(row, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A check that came to a result: what it does not find wrong is well."""

    target: str
    check: str
    variant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one run saw: what is wrong, and the checks that came to a result, whatever it was."""

    alerts: Sequence[Alert] = ()
    covered: Sequence[Checked] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What a run says of itself; `at` in UTC epoch seconds, `report` as shown, `duration_s` None for the monitor.

    The alerts of a test run make one message; those of the monitor one each.
    """

    verdict: str
    target: str
    profile: str
    at: float = 0.0
    duration_s: float | None = None
    report: str | None = None

    def as_json(self) -> str:
        """Return the headline as the ledger keeps it."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Headline:
        """Read a headline that the ledger kept."""
        kept: dict[str, Any] = json.loads(text)
        return cls(**kept)
