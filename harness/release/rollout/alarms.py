"""What the alarms of a release read: each goes on, is well, or knows nothing, which is not the same as well."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.contract.verdict import Verdict
from harness.release.confidence_sequence import share_upper
from harness.release.rollout.evidence import Evidence
from harness.release.yardstick import AlwaysValid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.audit.forecast_test import Series
    from harness.release.rollout.record import Beat, Header, Seen

Alarm = Literal["answers", "containers", "errors", "over budget", "wrong", "parity", "anomalies", "skill", "loss"]
# Errors and late answers: beyond what is granted, and more often than the champion's; parity, anomalies, skill, loss.
TESTS = 8
# After so long without an answer of the challenger nothing is known of it.
SILENCE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one alarm reads: FAILED where it is on, UNKNOWN where it has nothing to go by."""

    alarm: Alarm
    verdict: Verdict
    says: str


@dataclass(slots=True)
class _Failures:
    """How often each side failed in one way."""

    hits: int = 0
    of: int = 0
    others: int = 0
    others_of: int = 0
    evidence: Evidence = field(default_factory=Evidence)

    def add(self, one: Seen, *, is_hit: bool) -> None:
        if one.is_challenger:
            self.hits, self.of = self.hits + is_hit, self.of + 1
        else:
            self.others, self.others_of = self.others + is_hit, self.others_of + 1
        if is_hit:
            self.evidence.add(is_challenger=one.is_challenger, share=one.share)


@dataclass(slots=True)
class Panel:
    """All alarms of a release; told of everything that is seen, and read at any moment."""

    header: Header
    _errors: _Failures = field(default_factory=_Failures)
    _late: _Failures = field(default_factory=_Failures)
    _wrong: list[str] = field(default_factory=list)
    _answers_s: list[float] = field(default_factory=list)
    _apart: list[bool] = field(default_factory=list)
    _flags: list[bool] = field(default_factory=list)
    _skill: list[tuple[float, float]] = field(default_factory=list)
    _loss: list[tuple[float, float]] = field(default_factory=list)

    def add(self, one: Seen) -> None:
        """Take into account what a variant got."""
        self._errors.add(one, is_hit=one.is_error)
        self._late.add(one, is_hit=one.is_late)
        if not one.is_challenger:
            return
        self._answers_s.append(one.at_s)
        if one.wrong:
            self._wrong.append(one.wrong)
        if one.miss_bps is not None and one.naive_bps is not None:
            self._skill.append((one.miss_bps**2, one.naive_bps**2))
        self._compare(one)

    def _compare(self, one: Seen) -> None:
        """Compare with what the champion said; where either failed, the errors tell it."""
        reference = one.reference
        if reference is None or one.is_error or not _is_answer(reference.status):
            return
        far = reference.apart_bps is not None and reference.apart_bps > self.header.difference_bps
        self._apart.append(one.status != reference.status or far)
        if reference.is_flagged_alike is not None:
            self._flags.append(not reference.is_flagged_alike)
        if one.miss_bps is not None and reference.miss_bps is not None:
            self._loss.append((one.miss_bps**2, reference.miss_bps**2))

    def read(self, beat: Beat, *, since_s: float) -> tuple[Reading, ...]:
        """Return what all alarms read at a moment, in a step that began at `since_s`."""
        accuracy = (self._read_skill(), self._read_loss()) if self.header.has_truths else ()
        return (
            self._read_answers(beat.at_s, since_s),
            _read_containers(beat),
            self._read_failures("errors", self._errors, limit=self.header.error_share),
            self._read_failures("over budget", self._late, limit=self.header.over_budget_share),
            self._read_wrong(),
            self._read_share("parity", self._apart, what="answered unlike the champion"),
            self._read_share("anomalies", self._flags, what="flagged unlike the champion"),
            *accuracy,
        )

    @property
    def exposed(self) -> int:
        """How many calls the challenger got."""
        return len(self._answers_s)

    @property
    def _alpha(self) -> float:
        return self.header.alpha / TESTS

    def _read_answers(self, now_s: float, since_s: float) -> Reading:
        """Say whether there is anything to go by: enough answers in this step, the last of them not long ago."""
        in_step = sum(at_s >= since_s for at_s in self._answers_s)
        quiet_s = now_s - max(self._answers_s, default=since_s)
        is_enough = in_step >= self.header.least and quiet_s <= SILENCE_S
        silence = f", none for {quiet_s:.0f} s" if quiet_s > SILENCE_S else ""
        verdict = Verdict.PASSED if is_enough else Verdict.UNKNOWN
        return Reading(alarm="answers", verdict=verdict, says=f"{in_step} in this step{silence}")

    def _read_failures(self, alarm: Alarm, found: _Failures, *, limit: float) -> Reading:
        """On where surely more than granted fail, or more than the champion's, and more than granted so far."""
        seen, p = found.hits / found.of if found.of else 0.0, found.evidence.p
        is_on = _lower(found.hits, found.of, alpha=self._alpha) > limit or (p < self._alpha and seen > limit)
        says = f"{found.hits} of {found.of}, the champion's {found.others} of {found.others_of}"
        return _reading(alarm, is_on=is_on, of=found.of, says=f"{says} (p {p:.2g})" if found.hits else says)

    def _read_wrong(self) -> Reading:
        """On at the first: what the contract promises, it promises of every answer."""
        says = f"{len(self._wrong)} of {self.exposed}" + (f", {self._wrong[0]}" if self._wrong else "")
        return _reading("wrong", is_on=bool(self._wrong), of=self.exposed, says=says)

    def _read_share(self, alarm: Alarm, hits: Sequence[bool], *, what: str) -> Reading:
        is_on = _lower(sum(hits), len(hits), alpha=self._alpha) > self.header.difference_share
        return _reading(alarm, is_on=is_on, of=len(hits), says=f"{sum(hits)} of {len(hits)} {what}")

    def _read_skill(self) -> Reading:
        """On where its root mean square error surely is beyond the profile's limit, in times of persistence's."""
        ours, naive = _columns(self._skill)
        if len(ours) < AlwaysValid().least or not naive.any():
            return Reading(alarm="skill", verdict=Verdict.UNKNOWN, says=f"{len(ours)} windows")
        found = AlwaysValid().ratio(ours, naive, alpha=self._alpha)
        says = f"{found.value**0.5:.3f} times persistence's error"
        return _reading("skill", is_on=found.low > self.header.skill_limit**2, of=found.of, says=says)

    def _read_loss(self) -> Reading:
        """On where it surely errs by more than the champion on the same windows, and by more than the margin."""
        ours, theirs = _columns(self._loss)
        if len(ours) < AlwaysValid().least or not theirs.any():
            return Reading(alarm="loss", verdict=Verdict.UNKNOWN, says=f"{len(ours)} windows")
        found = AlwaysValid().ratio(ours, theirs, alpha=self._alpha)
        is_on = found.p < self._alpha and found.value > (1 + self.header.loss_margin) ** 2
        says = f"{found.value**0.5:.3f} times the champion's error (p {found.p:.2g})"
        return _reading("loss", is_on=is_on, of=found.of, says=says)


def _read_containers(beat: Beat) -> Reading:
    """On at the first that is lost: a container does not exit unless it is told to."""
    lost = f"{beat.replaced} lost" if beat.replaced else "none ready" if not beat.ready else ""
    return _reading("containers", is_on=bool(lost), of=1, says=lost or f"{beat.ready} ready")


def _reading(alarm: Alarm, *, is_on: bool, of: int, says: str) -> Reading:
    verdict = Verdict.FAILED if is_on else Verdict.PASSED if of else Verdict.UNKNOWN
    return Reading(alarm=alarm, verdict=verdict, says=says)


def _lower(hits: int, of: int, *, alpha: float) -> float:
    """Return the bound above which a share lies, at every sample size at once, but for a chance of alpha."""
    return 1 - share_upper(of - hits, of, alpha=alpha) if hits else 0.0


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[Series, Series]:
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _is_answer(status: int) -> bool:
    return 200 <= status < 500  # noqa: PLR2004 - HTTP's own numbers
