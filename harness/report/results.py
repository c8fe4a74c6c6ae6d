"""The result of each check of a run, kept as values and as lines of a file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.contract.difference import Change
from harness.contract.judge import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.contract.rules import Suite

FILE = "checks.jsonl"
# failed: the image broke its contract; error: we could not tell; waived: broken, with the profile's leave.
Outcome = Literal["passed", "failed", "error", "skipped", "waived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a failure leaves behind for its owner.

    `again` is the shell line that repeats it, `bodies` the files beside the report that the line names, `log` how the
    container was and what it logged last; `says` and `changes` are how the window was made of a good one.
    """

    violations: tuple[Violation, ...] = ()
    again: str = ""
    bodies: tuple[str, ...] = ()
    log: str = ""
    says: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check: the rules that it speaks for, those that it found broken, and why; duration in seconds.

    `promise` is the check's own MUST sentence.
    """

    check: str
    suite: Suite
    rules: tuple[str, ...]
    violated: tuple[str, ...] = ()
    outcome: Outcome
    message: str = ""
    duration_s: float = 0.0
    promise: str = ""
    evidence: Evidence = Evidence()

    @property
    def blamed(self) -> tuple[str, ...]:
        """The rules that a failure counts against: those found broken, or all where the check did not say."""
        return self.violated or self.rules


class ResultsBroken(ValueError):  # noqa: N818 - named by what happened
    """A file holds no results of checks; the message names file, line and what was found."""


def write_results(results: Iterable[CheckResult], folder: Path) -> None:
    """Write one JSON line a check; what is empty is left out."""
    lines = [json.dumps(_row(result), default=str) + "\n" for result in results]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text("".join(lines), encoding="utf-8")


def read_results(folder: Path) -> tuple[CheckResult, ...]:
    """Read what `write_results` wrote, nothing where there is no such file; raise `ResultsBroken` for another one."""
    path = folder / FILE
    if not path.is_file():
        return ()
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(_result(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"{path}, line {number}: no result of a check: {line[:80]!r}"
            raise ResultsBroken(msg) from error
    return tuple(found)


def evidence_of(row: Mapping[str, Any]) -> Evidence:
    """Make the value of what `as_row` returned, on whichever side of a process."""
    return Evidence(
        violations=tuple(Violation(**broken) for broken in row.get("violations", ())),
        changes=tuple(Change(**change) for change in row.get("changes", ())),
        bodies=tuple(row.get("bodies", ())),
        **{name: str(row.get(name, "")) for name in ("again", "log", "says")},
    )


def as_row(evidence: Evidence) -> dict[str, Any]:
    """Return what JSON, and a report that travels between processes, can hold of it."""
    return {name: value for name, value in asdict(evidence).items() if value}


def _row(result: CheckResult) -> dict[str, Any]:
    fields = asdict(result) | {"evidence": as_row(result.evidence), "duration_s": round(result.duration_s, 4)}
    return {name: value for name, value in fields.items() if value}


def _result(row: dict[str, Any]) -> CheckResult:
    lists = {name: tuple(row.get(name, ())) for name in ("rules", "violated")}
    return CheckResult(**{**row, **lists, "evidence": evidence_of(row.get("evidence", {}))})
