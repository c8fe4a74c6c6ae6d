"""Bodies to send: a ring of windows, anchored at now and renewed one by one, so that no request waits for its body."""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.contract.records import CONTENT_TYPES, SECOND_NS, build, encode, last_whole_second_ns
from harness.load.broken import broken_body, ways_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract.records import Codec, Window
    from harness.load.plan import Plan

# Each window is sent about twice at the default rate, as JSON and as CSV by chance: the answers must agree.
_SLOTS = 24
_USES = 2
RENEWED_EVERY_S = 2.0
# One to build the window, one for each body: as JSON, as CSV, and broken.
STEPS = 2 + len(CONTENT_TYPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a window comes from: its first second in the plan's series, and the moment at which it ends."""

    offset: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One body, and what is needed to judge the answer to it; `way` says how it was broken, if it was."""

    origin: Origin
    codec: Codec
    body: bytes
    way: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """One window in all the forms in which it may be sent."""

    good: dict[Codec, Payload]
    broken: Payload | None


def window_at(plan: Plan, origin: Origin) -> Window:
    """Build the window that a payload carried, before it was broken."""
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
        self._slots: list[_Slot] = [_Slot(good={}, broken=None)] * _SLOTS
        self._oldest = itertools.cycle(range(_SLOTS))
        self._next = itertools.cycle(index for index in range(_SLOTS) for _ in range(_USES))
        first = Origin(offset=0, end_ns=last_whole_second_ns(time.time()))
        ways = ways_for(plan.profile, window_at(plan, first), now_s=first.end_ns / SECOND_NS)
        self._broken_share = plan.profile.load.broken_share if ways else 0.0
        self._ways = itertools.cycle(itertools.product(ways, _codecs(plan.profile.load.csv_share)))
        for _ in range(_SLOTS):
            list(self.renew())

    def take(self) -> Payload:
        """Return the next body, broken or as CSV with the plan's shares."""
        slot = self._slots[next(self._next)]
        if self._mix.random() < self._broken_share and slot.broken is not None:
            return slot.broken
        codec: Codec = "csv" if self._mix.random() < self._plan.profile.load.csv_share else "json"
        return slot.good[codec]

    def renew(self) -> Iterator[None]:
        """Renew the oldest window in `STEPS` steps of about a millisecond; the caller may pause between them."""
        offset = self._offsets.randrange(self._plan.offsets)
        origin = Origin(offset=offset, end_ns=last_whole_second_ns(time.time()))
        window = window_at(self._plan, origin)
        yield
        good: dict[Codec, Payload] = {}
        for codec in CONTENT_TYPES:
            body = encode(self._plan.profile.window, window, codec)
            good[codec] = Payload(origin=origin, codec=codec, body=body)
            yield
        self._slots[next(self._oldest)] = _Slot(good=good, broken=self._broken(origin, window))
        yield

    def _broken(self, origin: Origin, window: Window) -> Payload | None:
        if not self._broken_share:
            return None
        way, codec = next(self._ways)
        body = broken_body(way, self._plan.profile.window, window, codec)
        return Payload(origin=origin, codec=codec, body=body, way=way)


def _codecs(csv_share: float) -> tuple[Codec, ...]:
    """Return the codecs that a mix holds at all."""
    shares: dict[Codec, float] = {"json": 1 - csv_share, "csv": csv_share}
    return tuple(codec for codec, share in shares.items() if share > 0)
