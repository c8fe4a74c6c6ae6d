"""What a measurement recorded: a line for each attempt, and how each generator itself was."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.contract.records import Codec
    from harness.load.plan import Plan

# "broken" is an invocation that must be refused: see `way`.
Kind = Literal["invocation", "broken", "ping"]
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
    content_type: str | None = None
    detail: str = ""
    codec: Codec | None = None
    offset: int | None = None
    end_ns: int | None = None
    way: str = ""
    body: str = ""

    @property
    def latency_s(self) -> float:
        """Seconds from the due moment to the last byte, or to the failure."""
        return self.ended_s - self.due_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """How a generator was while it sent: CPU and wall time in seconds, the garbage collector's pauses, its memory."""

    cpu_s: float
    wall_s: float
    gc_pauses: int
    gc_longest_s: float
    offered: int
    memory_bytes: int

    @property
    def cpu_share(self) -> float:
        """What it used of one core."""
        return self.cpu_s / self.wall_s if self.wall_s else 0.0

    def since(self, before: Generator) -> Generator:
        """Return how it was after an earlier moment; the longest pause is that of the whole time."""
        return dataclasses.replace(
            self,
            cpu_s=self.cpu_s - before.cpu_s,
            wall_s=self.wall_s - before.wall_s,
            gc_pauses=self.gc_pauses - before.gc_pauses,
            offered=self.offered - before.offered,
        )


NOT_STARTED = Generator(cpu_s=0.0, wall_s=0.0, gc_pauses=0, gc_longest_s=0.0, offered=0, memory_bytes=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRecord:
    """A plan, all that was attempted in the order of the due moments, and the state of each generator.

    What counts was due from `begin_s` until `end_s`, in seconds since the schedule's start.
    """

    plan: Plan
    attempts: tuple[Attempt, ...]
    generators: tuple[Generator, ...]
    begin_s: float
    end_s: float

    @property
    def counted_s(self) -> float:
        """How long the part that counts lasts."""
        return self.end_s - self.begin_s

    def of_kind(self, kind: Kind, *, warm_up: bool = False) -> tuple[Attempt, ...]:
        """Return the attempts of a kind that count, or those of the warm-up."""
        return tuple(one for one in self.attempts if one.kind == kind and one.warm_up is warm_up)


_NAMES = tuple(spec.name for spec in dataclasses.fields(Attempt))
_values = attrgetter(*_NAMES)


def row_of(attempt: Attempt) -> tuple[Any, ...]:
    """Return an attempt's values in the order of its fields: what travels between processes."""
    values: tuple[Any, ...] = _values(attempt)
    return values


def of_row(row: Sequence[Any]) -> Attempt:
    """Return the attempt whose values these are."""
    return Attempt(**dict(zip(_NAMES, row, strict=True)))


def line_of(attempt: Attempt) -> str:
    """Write an attempt as a line of JSON."""
    return json.dumps(dict(zip(_NAMES, row_of(attempt), strict=True))) + "\n"


def last_line(generators: Sequence[Generator]) -> str:
    """Write the states of the generators as a line of JSON: the mark of a whole record."""
    return json.dumps({"generators": [dataclasses.asdict(one) for one in generators]}) + "\n"


def read_record(path: Path, plan: Plan, *, lap: int = 0) -> LoadRecord:
    """Read the record of a lap; raise `RecordBroken` where it is missing, unreadable or cut short."""
    try:
        *rows, last = [json.loads(line) for line in path.read_text().splitlines()]
        generators = tuple(Generator(**one) for one in last["generators"])
        attempts = sorted((Attempt(**row) for row in rows), key=lambda one: one.due_s)
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"load record {path}: not a whole record: {type(error).__name__}: {error}"
        raise RecordBroken(msg) from error
    begin_s, end_s = plan.span_of(lap)
    return LoadRecord(plan=plan, attempts=tuple(attempts), generators=generators, begin_s=begin_s, end_s=end_s)
