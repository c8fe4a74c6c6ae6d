"""How long each check took when it last ran: what a later run expects of the time that is left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.report.results import CheckResult

FILE = "durations.json"
_KEPT = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What checks are expected to take, in seconds: by their own last run, else as others of their file did."""

    checks: Mapping[str, float]
    files: Mapping[str, float]

    def left_s(self, checks: Iterable[str], *, spent_s: float = 0.0) -> float | None:
        """Return what checks will take, the first of which runs for `spent_s` already; None where nothing tells."""
        expected = [self.checks.get(check, self.files.get(_file(check))) for check in checks]
        known = [each_s for each_s in expected if each_s is not None]
        if len(known) < len(expected):
            return None
        return sum(known) - min(spent_s, known[0]) if known else 0.0


def forecast(folder: Path) -> Forecast:
    """Read what earlier runs of a report's folder took; what cannot be read tells nothing."""
    known = _recall(folder)
    by_file: dict[str, list[float]] = {}
    for check, took_s in known.items():
        by_file.setdefault(_file(check), []).append(took_s)
    return Forecast(checks=known, files={name: fmean(spans) for name, spans in by_file.items()})


def remember(results: Iterable[CheckResult], folder: Path) -> None:
    """Keep what the checks of a run took, beside what is known of others."""
    took = {result.check: round(result.duration_s, 3) for result in results}
    known = {check: took_s for check, took_s in _recall(folder).items() if check not in took} | took
    kept = dict(list(known.items())[-_KEPT:])
    (folder / FILE).write_text(json.dumps(kept, indent=0) + "\n", encoding="utf-8")


def _recall(folder: Path) -> dict[str, float]:
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return {str(check): float(took_s) for check, took_s in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _file(check: str) -> str:
    return check.partition("::")[0]
