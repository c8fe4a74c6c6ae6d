"""What a measurement recorded: a line for each attempt, and how the generator itself was."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.contract.records import Codec
    from harness.load.plan import Plan

Kind = Literal["invocation", "ping"]
# "dropped" and "ours" are the generator's own; the others are what the sut did.
Outcome = Literal["answered", "refused", "closed", "timed out", "dropped", "ours"]


class RecordBroken(Exception):  # noqa: N818 - named by what happened
    """A record file is cut short or unreadable: the generator did not end well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request that was due. Moments are seconds since the schedule's start; None where it did not get that far."""

    kind: Kind
    warm_up: bool
    outcome: Outcome
    due_s: float
    ended_s: float
    started_s: float | None = None
    connect_s: float | None = None  # how long a new connection took to stand; None where one was used again
    sent_s: float | None = None
    first_byte_s: float | None = None
    status: int | None = None
    retry_after: str | None = None
    detail: str = ""
    codec: Codec | None = None
    offset: int | None = None
    end_ns: int | None = None
    body: str = ""

    @property
    def latency_s(self) -> float:
        """Seconds from the due moment to the last byte, or to the failure."""
        return self.ended_s - self.due_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """How the generator was while it sent: CPU and wall time in seconds, and the garbage collector's pauses."""

    cpu_s: float
    wall_s: float
    gc_pauses: int
    gc_longest_s: float
    offered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRecord:
    """A plan, all that was attempted in the order of the due moments, and the generator's own state."""

    plan: Plan
    attempts: tuple[Attempt, ...]
    generator: Generator

    def of_kind(self, kind: Kind, *, warm_up: bool = False) -> tuple[Attempt, ...]:
        """Return the attempts of a kind that count, or those of the warm-up."""
        return tuple(one for one in self.attempts if one.kind == kind and one.warm_up is warm_up)


def write_record(attempts: Iterable[Attempt], generator: Generator, sheet: IO[str]) -> None:
    """Write JSON lines: the attempts, and the generator last, as the mark of a whole record."""
    names = [spec.name for spec in dataclasses.fields(Attempt)]
    for attempt in attempts:
        sheet.write(json.dumps({name: getattr(attempt, name) for name in names}) + "\n")
    sheet.write(json.dumps({"generator": dataclasses.asdict(generator)}) + "\n")


def read_record(path: Path, plan: Plan) -> LoadRecord:
    """Read what `write_record` wrote; raise `RecordBroken` where it is missing, unreadable or cut short."""
    try:
        *rows, last = [json.loads(line) for line in path.read_text().splitlines()]
        generator = Generator(**last["generator"])
        attempts = sorted((_attempt(row) for row in rows), key=lambda one: one.due_s)
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"load record {path}: not a whole record: {type(error).__name__}: {error}"
        raise RecordBroken(msg) from error
    return LoadRecord(plan=plan, attempts=tuple(attempts), generator=generator)


def _attempt(row: dict[str, Any]) -> Attempt:
    return Attempt(**row)
