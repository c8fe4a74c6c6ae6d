"""The record of an experiment: what was done and seen, as a value that JSON lines hold and that judging works from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from harness.contract.judge import Violation
from harness.faults.fault import Expectation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.faults.attempt import Asked

SCHEMA = 1
MarkName = Literal["steady", "struck", "taken", "revert", "reverted", "well", "ended"]
Outcome = Literal["right", "refused", "failed", "timed out", "wrong"]


class RecordBroken(ValueError):  # noqa: N818 - named by what happened
    """A file is no record of an experiment; the message names file, line and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question and its outcome; moments are seconds since the experiment began.

    `window` names the bytes that were sent; `as_of`, `close` and `request_id` are what the answer must belong to,
    `got_as_of`, `prediction` and `got_request_id` what it said.
    """

    asked: Asked
    due_s: float
    sent_s: float
    answered_s: float
    outcome: Outcome
    status: int | None = None
    retry_after: str = ""
    detail: str = ""
    broken: tuple[Violation, ...] = ()
    request_id: str = ""
    got_request_id: str = ""
    window: str = ""
    as_of: str = ""
    close: float | None = None
    got_as_of: str = ""
    prediction: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A step of the experiment: when it was done, in seconds since the beginning, and what showed it."""

    name: MarkName
    at_s: float
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How Docker said that the container was."""

    at_s: float
    status: str
    exit_code: int
    oom_killed: bool
    log: str = ""  # the last lines, where the container was down

    @property
    def is_up(self) -> bool:
        """Whether its processes were there, paused or not."""
        return self.status in ("running", "paused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The numbers by which a record is judged, from the profile: seconds, rates a second, shares."""

    budget_s: float
    ready_s: float
    recovery_s: float
    steady_s: float
    accept_s: float
    rate_per_s: float
    same_tolerance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One experiment, whole.

    `up_since_s` is when the container was started first, in seconds from the beginning; `memory_kills` is how many of
    its processes the kernel killed for want of memory; `past` are the faults that the container had met before;
    `repeats` is the lateness that the same experiment showed at first, where it was run again alone.
    """

    name: str
    image: str
    began_at: float  # Unix time
    up_since_s: float
    measure: Measure
    expects: Expectation
    memory_kills: int = 0
    past: tuple[str, ...] = ()
    repeats: str = ""
    marks: tuple[Mark, ...] = ()
    looks: tuple[Look, ...] = ()
    probes: tuple[Probe, ...] = field(default=(), repr=False)
    schema: int = SCHEMA

    def at(self, name: str) -> float | None:
        """Return when a step was done, or None where it was not reached."""
        return next((mark.at_s for mark in self.marks if mark.name == name), None)

    def phase(self, at_s: float) -> str:
        """Say where in the experiment a moment lies."""
        steps = (
            ("well", "after the recovery"),
            ("reverted", "while it recovered"),
            ("struck", "while the fault lasted"),
        )
        for name, phase in steps:
            done_s = self.at(name)
            if done_s is not None and at_s >= done_s:
                return phase
        return "before the fault"

    def invocations(self) -> list[Probe]:
        """Return the valid windows that the prober sent, in the order of sending."""
        return sorted((probe for probe in self.probes if probe.asked in ("good", "same")), key=lambda p: p.sent_s)

    def pings(self) -> list[Probe]:
        """Return the pings, in the order of sending."""
        return sorted((probe for probe in self.probes if probe.asked == "ping"), key=lambda p: p.sent_s)


def tally(probes: Sequence[Probe]) -> str:
    """Count probes by their outcome, in words."""
    counts: dict[str, int] = {}
    for probe in probes:
        counts[probe.outcome] = counts.get(probe.outcome, 0) + 1
    return ", ".join(f"{number} {outcome}" for outcome, number in counts.items()) or "no probes"


def write(record: Record, path: Path) -> None:
    """Write a record as JSON lines: a head, then one line a mark, look and probe."""
    head = asdict(record)
    rows = [("mark", row) for row in head.pop("marks")]
    rows += [("look", row) for row in head.pop("looks")]
    rows += [("probe", row) for row in head.pop("probes")]
    lines = [json.dumps({"kind": kind, **row}) for kind, row in [("experiment", head), *rows]]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(path: Path) -> Record:
    """Read a record back; raise `RecordBroken` where the file is none."""
    rows: dict[str, list[dict[str, Any]]] = {"experiment": [], "mark": [], "look": [], "probe": []}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            rows[row.pop("kind")].append(row)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            msg = f"{path}, line {number}: no line of an experiment's record: {line[:80]!r}"
            raise RecordBroken(msg) from error
    try:
        return _record(rows)
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path}: no whole record of schema {SCHEMA}: {error}"
        raise RecordBroken(msg) from error


def _record(rows: dict[str, list[dict[str, Any]]]) -> Record:
    (head,) = rows["experiment"]
    if head["schema"] != SCHEMA:
        msg = f"it has schema {head['schema']}"
        raise ValueError(msg)
    codes = tuple(head["expects"].pop("exit_codes"))
    return Record(
        **{
            **head,
            "measure": Measure(**head["measure"]),
            "past": tuple(head.get("past", ())),
            "expects": Expectation(**head["expects"], exit_codes=codes),
            "marks": tuple(Mark(**row) for row in rows["mark"]),
            "looks": tuple(Look(**row) for row in rows["look"]),
            "probes": tuple(_probe(row) for row in rows["probe"]),
        }
    )


def _probe(row: dict[str, Any]) -> Probe:
    return Probe(**{**row, "broken": tuple(Violation(**broken) for broken in row["broken"])})
