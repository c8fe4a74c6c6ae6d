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
STEPS = 1 + len(CONTENT_TYPES)


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
    """Ready bodies; `renew` must be called step by step with a pause of `pause_s` after each."""

    pause_s = RENEWED_EVERY_S / _SLOTS / STEPS

    def __init__(self, plan: Plan) -> None:
        """Encode every slot once."""
        self._plan = plan
        # Two sources: which windows there are must not depend on how many were sent before.
        self._mix = random.Random(plan.seed)  # noqa: S311 - a mix to repeat, no secret
        self._offsets = random.Random(plan.seed + 1)  # noqa: S311 - likewise
        self._slots: list[dict[Codec, Payload]] = [{}] * _SLOTS
        self._oldest = itertools.cycle(range(_SLOTS))
        self._next = itertools.cycle(index for index in range(_SLOTS) for _ in range(_USES))
        for _ in range(_SLOTS):
            list(self.renew())

    def take(self) -> Payload:
        """Return the next body, as CSV with the plan's share."""
        codec: Codec = "csv" if self._mix.random() < self._plan.profile.load.csv_share else "json"
        return self._slots[next(self._next)][codec]

    def renew(self) -> Iterator[None]:
        """Renew the oldest window in `STEPS` steps of about a millisecond; the caller may pause between them."""
        offset = self._offsets.randrange(self._plan.offsets)
        origin = Origin(offset=offset, end_ns=last_whole_second_ns(time.time()))
        window = window_at(self._plan, origin)
        yield
        slot: dict[Codec, Payload] = {}
        for codec in CONTENT_TYPES:
            body = encode(self._plan.profile.window, window, codec)
            slot[codec] = Payload(origin=origin, codec=codec, body=body)
            yield
        self._slots[next(self._oldest)] = slot
