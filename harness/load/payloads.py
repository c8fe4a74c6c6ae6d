"""Bodies to send: a ring of windows, anchored at now and renewed one by one, so that no request waits for its body."""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.records import CONTENT_TYPES, build, encode, last_whole_second_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract.records import Codec, Window
    from harness.load.plan import Plan

# Each window is sent about twice at the default rate, as JSON and as CSV by chance: the answers must agree.
_SLOTS = 24
_USES = 2
RENEWED_EVERY_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a window comes from: its first second in the plan's series, and the moment at which it ends."""

    offset: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One body, and what is needed to judge the answer to it."""

    origin: Origin
    codec: Codec
    body: bytes


def window_at(plan: Plan, origin: Origin) -> Window:
    """Build the window that a payload carried."""
    rule = plan.profile.window
    seconds = plan.series[origin.offset : origin.offset + rule.records]
    return build(rule, seconds, end_ns=origin.end_ns)


class Ring:
    """Ready bodies; `renew` must be called for each pause of `pause_s` to keep them fresh."""

    pause_s = RENEWED_EVERY_S / _SLOTS

    def __init__(self, plan: Plan) -> None:
        """Encode every slot once."""
        self._plan = plan
        self._rng = random.Random(plan.seed)  # noqa: S311 - a mix to repeat, no secret
        self._slots = [self._fresh() for _ in range(_SLOTS)]
        self._oldest = itertools.cycle(range(_SLOTS))
        self._next = itertools.cycle(index for index in range(_SLOTS) for _ in range(_USES))

    def take(self) -> Payload:
        """Return the next body, as CSV with the plan's share."""
        codec: Codec = "csv" if self._rng.random() < self._plan.profile.load.csv_share else "json"
        return self._slots[next(self._next)][codec]

    def renew(self) -> Iterator[None]:
        """Renew the oldest window in steps of about a millisecond; the caller may pause between them."""
        slot = {}
        for codec, payload in self._encoded():
            slot[codec] = payload
            yield
        self._slots[next(self._oldest)] = slot

    def _fresh(self) -> dict[Codec, Payload]:
        return dict(self._encoded())

    def _encoded(self) -> Iterator[tuple[Codec, Payload]]:
        offset = self._rng.randrange(self._plan.offsets)
        origin = Origin(offset=offset, end_ns=last_whole_second_ns(time.time()))
        window = window_at(self._plan, origin)
        for codec in CONTENT_TYPES:
            body = encode(self._plan.profile.window, window, codec)
            yield codec, Payload(origin=origin, codec=codec, body=body)
