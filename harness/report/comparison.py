"""What is new since the run before: rules that broke, that hold again, that are still broken, or were not run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RUNS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run in a word: when, which image, what it came to; `broken` are the rules that failed."""

    started: str
    image_name: str
    image_id: str
    verdict: str
    broken: tuple[str, ...]
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StillBroken:
    """A rule that was broken before: in how many runs in a row, this one with them, and since when."""

    rule: str
    runs: int
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How a run differs from the one before it; `runs` are the latest, this one first."""

    before: Run
    broke: tuple[str, ...]
    recovered: tuple[str, ...]
    still: tuple[StillBroken, ...]
    no_longer_checked: tuple[str, ...]
    runs: tuple[Run, ...]

    @property
    def is_same_image(self) -> bool:
        """Whether it was the very same image, where both are images."""
        return bool(self.before.image_id) and self.before.image_id == self.runs[0].image_id


def compare(verdict: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]]) -> Comparison | None:
    """Compare a verdict with those before it, the newest first; None where there is none."""
    if not earlier:
        return None
    now, before = _outcomes(verdict), _outcomes(earlier[0])
    broken = [rule_id for rule_id, outcome in now.items() if outcome == "failed"]
    return Comparison(
        before=_run(earlier[0]),
        broke=tuple(rule_id for rule_id in broken if before.get(rule_id) != "failed"),
        recovered=tuple(name for name, outcome in before.items() if outcome == "failed" and now.get(name) == "passed"),
        still=tuple(_still(name, verdict, earlier) for name in broken if before.get(name) == "failed"),
        no_longer_checked=tuple(
            name for name, outcome in now.items() if outcome == "not_run" and _was_run(before, name)
        ),
        runs=tuple(_run(one) for one in (verdict, *earlier[: _RUNS - 1])),
    )


def _outcomes(verdict: Mapping[str, Any]) -> dict[str, str]:
    return {rule_id: entry["outcome"] for rule_id, entry in verdict["rules"].items()}


def _was_run(before: Mapping[str, str], rule_id: str) -> bool:
    return before.get(rule_id, "not_run") != "not_run"


def _still(rule_id: str, verdict: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]]) -> StillBroken:
    runs, since = 1, verdict["started"]
    for one in earlier:
        outcome = _outcomes(one).get(rule_id, "not_run")
        if outcome not in ("failed", "not_run"):
            break
        if outcome == "failed":
            runs, since = runs + 1, one["started"]
    return StillBroken(rule=rule_id, runs=runs, since=since)


def _run(verdict: Mapping[str, Any]) -> Run:
    return Run(
        started=verdict["started"] or "",
        image_name=verdict["image"]["name"] or "",
        image_id=verdict["image"].get("id") or "",
        verdict=verdict["verdict"],
        broken=tuple(rule_id for rule_id, outcome in _outcomes(verdict).items() if outcome == "failed"),
        duration_s=verdict["duration_s"],
    )
