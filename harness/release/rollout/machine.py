"""The state machine of a release: pure, fed with what was seen, the same live and from a record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.contract.verdict import Verdict

if TYPE_CHECKING:
    from harness.release.rollout.alarms import Reading

# A step whose alarms know too little is given so many bakes in all before the release is given up.
PATIENCE = 2.0


class Outcome(StrEnum):
    """How a release ended. UNKNOWN: it was rolled back because too little was known, not because it was bad."""

    PROMOTED = "PROMOTED"
    ROLLED_BACK = "ROLLED BACK"
    UNKNOWN = "UNKNOWN"

    @property
    def exit_status(self) -> int:
        """The exit status of a command that ends so."""
        return {Outcome.PROMOTED: 0, Outcome.ROLLED_BACK: 1, Outcome.UNKNOWN: 2}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a release stands: which step bakes since when, and its outcome once it has one; `why` says what decided."""

    shares: tuple[float, ...]
    bake_s: float
    step: int = 0
    since_s: float = 0.0
    outcome: Outcome | None = None
    why: str = ""

    @property
    def share(self) -> float:
        """The share of the traffic that the challenger is to get, as a fraction of 1."""
        if self.outcome is None:
            return self.shares[self.step]
        return 1.0 if self.outcome is Outcome.PROMOTED else 0.0


def advance(state: State, readings: tuple[Reading, ...], *, now_s: float) -> State:
    """Return the state after a look at the alarms.

    Any alarm that is on rolls back at once. A step is over when it has baked and every alarm is well; where one knows
    nothing, it is waited for, and then the release is given up: no data is not healthy.
    """
    if state.outcome is not None:
        return state
    if on := [one for one in readings if one.verdict is Verdict.FAILED]:
        why = "; ".join(f"{one.alarm}: {one.says}" for one in on)
        return replace(state, outcome=Outcome.ROLLED_BACK, why=why)
    baked_s = now_s - state.since_s
    if baked_s < state.bake_s:
        return state
    dark = [one for one in readings if one.verdict is not Verdict.PASSED]
    if dark or not readings:
        return state if baked_s < state.bake_s * PATIENCE else _given_up(state, dark)
    if state.step + 1 < len(state.shares):
        return replace(state, step=state.step + 1, since_s=now_s)
    return replace(state, outcome=Outcome.PROMOTED, why="every alarm stayed off in every step")


def _given_up(state: State, dark: list[Reading]) -> State:
    why = "; ".join(f"{one.alarm}: {one.says}" for one in dark) or "no alarm was read"
    return replace(state, outcome=Outcome.UNKNOWN, why=f"too little is known: {why}")
