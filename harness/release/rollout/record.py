"""What was seen of a release, line by line as it came: all that it takes to judge it again, and nothing judged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.release.journal import RecordBroken

if TYPE_CHECKING:
    from pathlib import Path

    from harness.contract.profile import Profile
    from harness.release.guardrails import Release

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What was released under which promise; shares are fractions of 1, times seconds, a distance hundredths of 1 %.

    `shares` are the challenger's after each step. `rate_per_s` is what is sent, or expected of the callers;
    `has_truths` says whether it is known what came next. A step needs `least` answers, and ends after `bake_s` at the
    earliest.
    """

    champion: str
    challenger: str
    profile: str
    shares: tuple[float, ...]
    bake_s: float
    rate_per_s: float
    least: int
    has_truths: bool
    budget_s: float
    over_budget_share: float
    error_share: float
    skill_limit: float
    loss_margin: float
    difference_bps: float
    difference_share: float
    alpha: float
    schema: int = SCHEMA

    @property
    def planned(self) -> int:
        """How many requests the whole release is to see."""
        return round(self.rate_per_s * self.bake_s * len(self.shares))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the champion answered to the same window, asked apart from the traffic."""

    status: int
    miss_bps: float | None
    apart_bps: float | None
    is_flagged_alike: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One call that a variant got, `at_s` from the release's begin; `share` is what the challenger then got of all.

    `is_error`: no answer, or a server's error. `is_late`: over the budget. `wrong` says which promise an answer broke,
    "" for none. Errors of prediction, and persistence's, are None where nobody knows what came next.
    """

    at_s: float
    is_challenger: bool
    share: float
    is_error: bool
    is_late: bool
    status: int
    wrong: str = ""
    miss_bps: float | None = None
    naive_bps: float | None = None
    reference: Reference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A look at the endpoint: the challenger's containers, ready and lost so far, and how the callers fared so far.

    Of `sent` calls `answered` got an answer, `spoilt` got a container's error, `lost` got nothing; others are on their
    way.
    """

    at_s: float
    ready: int = 1
    replaced: int = 0
    sent: int = 0
    answered: int = 0
    spoilt: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """The challenger never became ready; `says` carries its last log lines."""

    says: str


Line = Seen | Beat | Absence


def read_record(path: Path) -> tuple[Header, list[Line]]:
    """Read a record, whole or not; raise `RecordBroken` where it is none."""
    number = 0
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
        header, lines = _header(json.loads(rows[0])), list[Line]()
        for number, row in enumerate(rows[1:], start=2):  # noqa: B007 - for the message
            lines.append(_line(json.loads(row)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        msg = f"record {path}: line {number or 1} is no line of a release: {type(error).__name__}: {error}"
        raise RecordBroken(msg) from error
    return header, lines


def _header(content: dict[str, Any]) -> Header:
    del content["line"]
    return Header(**{**content, "shares": tuple(content["shares"])})


def _line(content: dict[str, Any]) -> Line:
    kind = content.pop("line")
    if kind == "seen":
        found = content["reference"]
        return Seen(**{**content, "reference": None if found is None else Reference(**found)})
    return Beat(**content) if kind == "beat" else Absence(**content)


def header_of(
    release: Release,
    profile: Profile,
    *,
    champion: str,
    challenger: str,
    fleet: int,
    rate_per_s: float,
    has_truths: bool,
) -> Header:
    """Return what is released under which promise, to a fleet of so many instances."""
    return Header(
        champion=champion,
        challenger=challenger,
        profile=f"{profile.name} {profile.sha256}".rstrip(),
        shares=release.deployment.shares(fleet),
        bake_s=release.deployment.bake_s,
        rate_per_s=rate_per_s,
        least=release.alarms.least,
        has_truths=has_truths,
        budget_s=profile.http.budget_s,
        over_budget_share=profile.load.over_budget_share,
        error_share=profile.release.error_share,
        skill_limit=profile.prediction.skill_limit,
        loss_margin=profile.release.loss_margin,
        difference_bps=profile.release.difference_bps,
        difference_share=profile.release.difference_share,
        alpha=profile.release.alpha,
    )
