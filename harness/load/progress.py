"""How far a measurement is: written once a second by the generator, read by whoever waits for it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness.contract.judge import OK
from harness.load.share import percentile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.load.plan import Plan
    from harness.load.record import Attempt

# The latency is that of so many of the last requests.
_RECENT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Invocations that ended so far, of those that are planned; `bad` were no 200; `p99_s` is that of the latest."""

    ended: int
    planned: int
    bad: int
    p99_s: float

    def __str__(self) -> str:
        return f"{self.ended} of {self.planned} requests, {self.bad} not 200, p99 {self.p99_s * 1000:.0f} ms"


def write_progress(attempts: Sequence[Attempt], plan: Plan, path: Path) -> None:
    """Replace the file as a whole, so that a reader never sees half of it."""
    invocations = [one for one in attempts if one.kind == "invocation"]
    recent = sorted(one.latency_s for one in invocations[-_RECENT:])
    progress = Progress(
        ended=len(invocations),
        planned=round(plan.rate_per_s * plan.length_s),
        bad=sum(one.status != OK for one in invocations),
        p99_s=percentile(recent, 0.99) if recent else 0.0,
    )
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(asdict(progress)))
    draft.rename(path)


def read_progress(path: Path) -> Progress | None:
    """Read what was written last; None before the first time."""
    try:
        return Progress(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
