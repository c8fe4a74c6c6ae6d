"""What was measured, line by line as it came: all that a judge needs, and nothing that has been judged."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from harness.audit.model.asking import Reply
from harness.contract.profile import Release
from harness.release.journal import RecordBroken

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
# "floor" is the champion against a second container of its own image, "match" the champion against the challenger.
Run = Literal["floor", "match"]
Side = Literal["champion", "challenger"]
Regime = Literal["history", "quiet", "trending", "jump", "flat", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What was compared under which promise; `broken` is how many different broken windows both were to get.

    Images by their names and ids; times in seconds, shares as fractions of 1.
    """

    champion: str
    challenger: str
    profile: str
    budget_s: float
    over_budget_share: float
    skill_limit: float
    broken: int
    release: Release
    ids: dict[str, str] = field(default_factory=dict)
    is_sequential: bool = False
    seed: int = 1
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One window and what each side answered; `at` is its place in its regime's time, prices are in USD.

    `way` names what windows of its kind have in common: whoever refuses one of them refuses all.
    """

    run: Run
    regime: Regime
    at: int
    way: str
    last: float
    truth: float | None
    first: Side
    champion: Reply
    challenger: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured of a container once: seconds until it was ready, or bytes that it held."""

    run: Run
    side: Side
    what: Literal["ready_s", "held_bytes"]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A container that never became ready, or died, and what it logged last."""

    run: Run
    side: Side
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All lines of a comparison; `is_whole` where it came to its end."""

    header: Header
    pairs: tuple[Pair, ...] = ()
    figures: tuple[Figure, ...] = ()
    losses: tuple[Loss, ...] = ()
    is_whole: bool = False

    def figures_of(self, what: str, side: Side, run: Run | None = None) -> list[float]:
        """Return the figures of a kind; a second container of the champion's image counts as the champion's."""
        return [
            one.value
            for one in self.figures
            if one.what == what and _owner(one) == side and (run is None or one.run == run)
        ]


def _owner(figure: Figure) -> Side:
    return "champion" if figure.run == "floor" else figure.side


def read_record(path: Path) -> Record:
    """Read a record, whole or not; raise `RecordBroken` where it is none."""
    found: dict[str, list[Any]] = {"header": [], "pair": [], "figure": [], "loss": [], "end": []}
    number = 0
    try:
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):  # noqa: B007 - for the message
            content = json.loads(text)
            kind = content.pop("line")
            found[kind].append(_READ[kind](content))
        (header,) = found["header"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"record {path}: line {number} is no line of a comparison: {type(error).__name__}: {error}"
        raise RecordBroken(msg) from error
    return Record(
        header=header,
        pairs=tuple(found["pair"]),
        figures=tuple(found["figure"]),
        losses=tuple(found["loss"]),
        is_whole=bool(found["end"]),
    )


def _header(content: dict[str, Any]) -> Header:
    if content["schema"] != SCHEMA:
        msg = f"`schema` is {content['schema']}, and this harness reads {SCHEMA}"
        raise ValueError(msg)
    return Header(**content | {"release": Release(**content["release"])})


def _pair(content: dict[str, Any]) -> Pair:
    return Pair(**content | {side: Reply(**content[side]) for side in ("champion", "challenger")})


_READ: dict[str, Any] = {
    "header": _header,
    "pair": _pair,
    "figure": lambda content: Figure(**content),
    "loss": lambda content: Loss(**content),
    "end": lambda _: True,
}
