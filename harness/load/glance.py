"""A window at a glance: its newest record, or why it is refused; found fast: a known truth must not wait for it.

It sees what our own load breaks on purpose, and knows the default profile's window alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from harness.contract.profile import load_profile
from harness.contract.records import SECOND_NS, moment_ns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Records: TypeAlias = Sequence[Mapping[str, object]]

_WINDOW = load_profile().window
_START, _END, _LOW, _CLOSE = (_WINDOW.named(role) for role in ("start", "end", "low", "close"))


class Refused(Exception):  # noqa: N818 - named by what happened
    """A body that is no good window: the status, and the dimension where there is one."""

    def __init__(self, status: int, dimension: str | None, why: str) -> None:
        """Keep what the answer says."""
        super().__init__(why)
        self.status = status
        self.dimension = dimension


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """What an answer needs of the newest record: its close, and its end as it was sent."""

    close: float
    end: str


def newest_of(body: bytes, *, is_csv: bool, now_s: float) -> Newest:
    """Return the newest record of a good window; raise `Refused` for a broken one."""
    try:
        records = _of_csv(body) if is_csv else json.loads(body)[_WINDOW.key]
    except ValueError as error:
        raise Refused(400, None, "the body is not what its type says") from error
    _check(records, now_s)
    last = records[-1]
    return Newest(close=float(str(last[_CLOSE])), end=str(last[_END]))


def newest_unchecked(body: bytes, *, is_csv: bool) -> Newest:
    """Return the newest record of a window that is taken to be good; only that record is read."""
    if is_csv:
        names, row = body[: body.index(b"\n")], body[body.rindex(b"\n", 0, -1) :]
        last = dict(zip(names.decode().split(","), row.decode().strip().split(","), strict=True))
    else:
        last = json.loads(body[body.rindex(b"{") : body.rindex(b"}]") + 1])
    return Newest(close=float(last[_CLOSE]), end=str(last[_END]))


def _of_csv(body: bytes) -> Records:
    names, *rows = (line.split(",") for line in body.decode().splitlines())
    return [dict(zip(names, row, strict=True)) for row in rows]


def _check(records: Records, now_s: float) -> None:
    if len(records) != _WINDOW.records:
        raise Refused(422, "completeness", f"{len(records)} records")
    if any(value is None or value == "" for record in records for value in record.values()):
        raise Refused(422, "completeness", "a field is empty")
    if min(float(str(record[_LOW])) for record in records) <= 0:
        raise Refused(422, "accuracy", "a price is not above 0")
    # Times of one format stand in the order of their letters.
    if any(str(earlier[_START]) >= str(later[_START]) for earlier, later in pairwise(records)):
        raise Refused(422, "consistency", "the records do not stand oldest first")
    if (moment_ns(records[-1][_END]) or 0) < (now_s - _WINDOW.max_age_s) * SECOND_NS:
        raise Refused(422, "timeliness", "the newest record is too old")
