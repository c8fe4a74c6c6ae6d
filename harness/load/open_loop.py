"""The open loop: each request starts when it is due, whatever became of those before it; only for Locust's process."""

from __future__ import annotations

import itertools
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event
from gevent.pool import Pool

from harness.contract.records import CONTENT_TYPES, Codec, content_type
from harness.load.alarm import Alarm
from harness.load.arrivals import WHOLE, Part, due_times
from harness.load.clock import Clock
from harness.load.payloads import Payload, Ring
from harness.load.record import Attempt, Generator
from harness.load.self_watch import SelfWatch, watching_itself
from harness.load.sheet import Batch
from harness.load.wire import Trace, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.load.plan import Plan
    from harness.load.record import Kind

    Schedule = Callable[[Clock], Iterator[float]]

# A ping is waited for a little longer than is promised: it is late either way, and this says by how much.
_PING_PATIENCE = 2.0
_LEAD_S = 0.1
# More connections than this at once say nothing new about a server, and files are limited: Docker's own proxy, which
# stands before a published port, takes up to six for each, and ends for good when it has none left.
_OPEN_MOST = 2_000
# What ended is handed over so often, and so many at a time, with so long a pause: writing more at once would hold up
# what is due, and answers are let in by a pause alone that is none of 0.
_HAND_OVER_S = 0.5
_AT_A_TIME, _PAUSE_S = 10, 0.001


def planned(plan: Plan, part: Part) -> Schedule:
    """Return the schedule of a generator's part of a plan."""

    def schedule(clock: Clock) -> Iterator[float]:
        law, rate_per_s = plan.profile.load.arrivals, plan.rate_per_s
        yield from due_times(law, rate_per_s=rate_per_s, length_s=plan.length_s, seed=plan.seed, part=part)
        clock.sleep_until(plan.length_s)

    return schedule


@dataclass(slots=True)
class OpenLoop:
    """One measurement as it runs; `tell` hears of every attempt the moment it ends, `hand_over` of many a little later.

    It lasts as long as the schedule yields moments.
    """

    plan: Plan
    schedule: Schedule
    tell: Callable[[Attempt], None]
    hand_over: Callable[[Batch], None]
    part: Part = WHOLE
    clock: Clock = field(default_factory=lambda: Clock(time.perf_counter()))
    _offered: int = 0
    _ended: list[Attempt] = field(default_factory=list)
    _ring: Ring = field(init=False)
    _wire: Wire = field(init=False)
    _ping_wire: Wire = field(init=False)
    _heads: dict[Codec, str] = field(init=False)
    _ping_head: str = field(init=False)

    def __post_init__(self) -> None:
        """Prepare all that need not be done while requests are due."""
        http, rule = self.plan.profile.http, self.plan.profile.window
        self._ring = Ring(self.plan)
        self._wire = Wire(self.plan.url, self.plan.patience_s)
        self._ping_wire = Wire(self.plan.url, http.ping_s * _PING_PATIENCE)
        self._heads = {
            codec: self._wire.head("POST", http.invocations_path, {"Content-Type": content_type(rule, codec)})
            for codec in CONTENT_TYPES
        }
        self._ping_head = self._ping_wire.head("GET", http.ping_path, {"Connection": "close"})

    def run(self) -> None:
        """Send everything that is due, wait for the last answer, and hand over the last batch."""
        invocations, pings, is_over = Pool(_OPEN_MOST), Pool(), Event()
        with watching_itself() as watch:
            self.clock = Clock(time.perf_counter() + _LEAD_S)
            helpers = [gevent.spawn(self._ping, pings), gevent.spawn(self._renew)]
            pump = gevent.spawn(self._pump, watch, is_over)
            with closing(Alarm()) as alarm:
                for due_s in self.schedule(self.clock):
                    alarm.sleep_until(self.clock.start + due_s)
                    self._invoke(invocations, due_s)
            state = watch.state(offered=self._offered)
        gevent.killall(helpers)
        invocations.join()
        pings.join()
        is_over.set()
        pump.join()
        self._deliver(state, is_last=True)

    def _invoke(self, pool: Pool, due_s: float) -> None:
        self._offered += 1
        if pool.full():
            self._drop(due_s)
        else:
            pool.spawn(self._invocation, due_s)

    def _ping(self, pool: Pool) -> None:
        rate_per_s = self.plan.profile.load.ping_rate_per_s
        if rate_per_s <= 0:
            return
        with closing(Alarm()) as alarm:
            for due_s in due_times(
                "constant", rate_per_s=rate_per_s, length_s=self.plan.length_s, seed=self.plan.seed, part=self.part
            ):
                alarm.sleep_until(self.clock.start + due_s)
                pool.spawn(self._one_ping, due_s)

    def _renew(self) -> None:
        while True:
            for _ in self._ring.renew():
                gevent.sleep(self._ring.pause_s)

    def _pump(self, watch: SelfWatch, is_over: Event) -> None:
        while not is_over.wait(_HAND_OVER_S):
            self._deliver(watch.state(offered=self._offered))

    def _deliver(self, state: Generator, *, is_last: bool = False) -> None:
        until_s = self.clock.now_s()
        ended, self._ended = self._ended, []
        for begin in itertools.count(0, _AT_A_TIME):
            some, is_rest = ended[begin : begin + _AT_A_TIME], begin + _AT_A_TIME >= len(ended)
            # Only what comes with the rest is all that ended until then.
            until = until_s if is_rest else 0.0
            self.hand_over(Batch(attempts=some, generator=state, until_s=until, is_last=is_last and is_rest))
            if is_rest:
                return
            gevent.sleep(_PAUSE_S)

    def _invocation(self, due_s: float) -> None:
        started = time.perf_counter()
        payload = self._ring.take()
        trace = self._wire.exchange(self._heads[payload.codec], payload.body)
        self._keep(self._attempt("broken" if payload.way else "invocation", due_s, started, trace, payload))

    def _one_ping(self, due_s: float) -> None:
        started = time.perf_counter()
        trace = self._ping_wire.exchange(self._ping_head, new=True)
        self._keep(self._attempt("ping", due_s, started, trace))

    def _drop(self, due_s: float) -> None:
        self._keep(
            Attempt(
                kind="invocation",
                warm_up=self._is_warm_up(due_s),
                outcome="dropped",
                due_s=due_s,
                ended_s=self.clock.now_s(),
                detail=f"{_OPEN_MOST} requests were open",
            )
        )

    def _attempt(
        self, kind: Kind, due_s: float, started: float, trace: Trace, payload: Payload | None = None
    ) -> Attempt:
        carried: dict[str, Any] = {}
        if payload is not None:
            origin = payload.origin
            carried = {
                "codec": payload.codec,
                "offset": origin.offset,
                "end_ns": origin.end_ns,
                "way": payload.way,
            }
        return Attempt(
            kind=kind,
            warm_up=self._is_warm_up(due_s),
            outcome=trace.outcome,
            due_s=due_s,
            started_s=started - self.clock.start,
            connect_s=trace.connect_s,
            sent_s=self.clock.since_start(trace.sent),
            first_byte_s=self.clock.since_start(trace.first_byte),
            ended_s=trace.ended - self.clock.start,
            status=trace.status,
            retry_after=trace.retry_after,
            content_type=trace.content_type,
            detail=trace.detail,
            body=trace.body.decode("utf-8", "backslashreplace"),
            **carried,
        )

    def _keep(self, attempt: Attempt) -> None:
        self._ended.append(attempt)
        self.tell(attempt)

    def _is_warm_up(self, due_s: float) -> bool:
        return due_s < self.plan.profile.load.warm_up_s
