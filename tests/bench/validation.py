"""Validation: one window of 60 records, parsing included, beside pandera and pydantic on the same bytes."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from harness.contract.records import CONTENT_TYPES
from tests.bench.container_script import result_of
from tests.bench.contenders import bodies, ground
from tests.bench.row import Line, Row, spread

_WINDOWS = 200
_MOST_MS = 0.2
_GOAL = 20.0
HOW = (
    f"in a container of the reference image, on one core: {_WINDOWS} windows, all different, each parsed and checked "
    "once a round, 5 rounds in turn; the median call. pydantic parses JSON itself; pandera checks a frame that pandas "
    "made; all refuse the same ten breaches before they are measured"
)


def run() -> list[Line]:
    """Measure both encodings."""
    with ground() as here, tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for index, (kind, body) in enumerate(bodies(here.profile, windows=_WINDOWS)):
            codec = next(codec for codec, named in CONTENT_TYPES.items() if named == kind)
            (Path(folder) / f"{index:04d}.{codec}").write_bytes(body)
        rounds = result_of(here, here.script("validation_times.py", "/windows", volumes={folder: "/windows"}))
    return [_line(codec, [one[codec] for one in rounds]) for codec in CONTENT_TYPES]


def _line(codec: str, rounds: list[dict[str, float]]) -> Line:
    ours, pydantic, pandera = (
        statistics.median(one[name] for one in rounds) * 1000 for name in ("ours", "pydantic", "pandera")
    )
    to_pandera = spread([one["pandera"] / one["ours"] for one in rounds])
    to_pydantic = spread([one["pydantic"] / one["ours"] for one in rounds])
    return Line(
        measured=f"validation of one window, {codec.upper()}",
        ours=f"{ours:.3f} ms",
        beside=f"pandera {pandera:.2f} ms, pydantic {pydantic:.3f} ms",
        ratio=f"{to_pandera} and {to_pydantic} times",
        goal=f"{_MOST_MS:g} ms; {_GOAL:g} times pandera",
        kept=ours <= _MOST_MS and to_pandera.median >= _GOAL,
    )


ROW = Row(name="validation", how=HOW, budget_s=60, run=run)
