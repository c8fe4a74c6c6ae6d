"""The open loop: each request starts when it is due, whatever became of those before it; only for Locust's process."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gevent
from gevent.pool import Pool

from harness.contract.records import CONTENT_TYPES, Codec
from harness.load.arrivals import due_times
from harness.load.payloads import Payload, Ring
from harness.load.record import Attempt, Generator
from harness.load.wire import Trace, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.load.plan import Plan
    from harness.load.record import Kind

# A ping is waited for a little longer than is promised: it is late either way, and this says by how much.
_PING_PATIENCE = 2.0
_LEAD_S = 0.1


@dataclass(slots=True)
class GcWatch:
    """Notes the garbage collector's pauses, in seconds."""

    pauses: int = 0
    longest_s: float = 0.0
    _began: float = 0.0

    def __call__(self, phase: str, _info: dict[str, int]) -> None:
        """Be called by the collector at the start and the end of each collection."""
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.pauses += 1
            self.longest_s = max(self.longest_s, time.perf_counter() - self._began)


@dataclass(slots=True)
class OpenLoop:
    """One measurement as it runs; `tell` hears of every attempt the moment it ends."""

    plan: Plan
    tell: Callable[[Attempt], None]
    attempts: list[Attempt] = field(default_factory=list)
    _start: float = 0.0
    _ring: Ring = field(init=False)
    _wire: Wire = field(init=False)
    _ping_wire: Wire = field(init=False)
    _heads: dict[Codec, str] = field(init=False)
    _ping_head: str = field(init=False)

    def __post_init__(self) -> None:
        """Prepare all that need not be done while requests are due."""
        http = self.plan.profile.http
        self._ring = Ring(self.plan)
        self._wire = Wire(self.plan.url, self.plan.patience_s)
        self._ping_wire = Wire(self.plan.url, http.ping_s * _PING_PATIENCE)
        self._heads = {
            codec: self._wire.head("POST", http.invocations_path, {"Content-Type": content_type})
            for codec, content_type in CONTENT_TYPES.items()
        }
        self._ping_head = self._ping_wire.head("GET", http.ping_path, {"Connection": "close"})

    def run(self) -> Generator:
        """Send everything that the plan says, wait for the last answer, and say how the generator was."""
        watch = GcWatch()
        gc.collect()
        gc.freeze()  # what stands before the first request is never looked at again
        gc.callbacks.append(watch)
        self._start = time.perf_counter() + _LEAD_S
        cpu_before, began = time.process_time(), time.perf_counter()
        pings, renewal = gevent.spawn(self._ping), gevent.spawn(self._renew)
        pool, offered = self._invoke()
        cpu_s, wall_s = time.process_time() - cpu_before, time.perf_counter() - began
        gc.callbacks.remove(watch)
        renewal.kill()
        pool.join()
        pings.join()
        return Generator(
            cpu_s=cpu_s, wall_s=wall_s, gc_pauses=watch.pauses, gc_longest_s=watch.longest_s, offered=offered
        )

    def _invoke(self) -> tuple[Pool, int]:
        pool, offered = Pool(self.plan.in_flight), 0
        load = self.plan.profile.load
        schedule = due_times(
            load.arrivals, rate_per_s=self.plan.rate_per_s, length_s=self.plan.length_s, seed=self.plan.seed
        )
        for due_s in schedule:
            self._sleep_until(due_s)
            offered += 1
            if pool.full():
                self._drop(due_s)
            else:
                pool.spawn(self._invocation, due_s)
        self._sleep_until(self.plan.length_s)
        return pool, offered

    def _ping(self) -> None:
        if self.plan.profile.load.ping_rate_per_s <= 0:
            return
        pool = Pool()
        rate_per_s = self.plan.profile.load.ping_rate_per_s
        for due_s in due_times("constant", rate_per_s=rate_per_s, length_s=self.plan.length_s, seed=0):
            self._sleep_until(due_s)
            pool.spawn(self._one_ping, due_s)
        pool.join()

    def _renew(self) -> None:
        while True:
            for _ in self._ring.renew():
                gevent.sleep(self._ring.pause_s)

    def _invocation(self, due_s: float) -> None:
        started = time.perf_counter()
        payload = self._ring.take()
        trace = self._wire.exchange(self._heads[payload.codec], payload.body)
        self._keep(self._attempt("invocation", due_s, started, trace, payload))

    def _one_ping(self, due_s: float) -> None:
        started = time.perf_counter()
        trace = self._ping_wire.exchange(self._ping_head, new=True)
        self._keep(self._attempt("ping", due_s, started, trace))

    def _drop(self, due_s: float) -> None:
        now_s = time.perf_counter() - self._start
        detail = f"{self.plan.in_flight} requests were open"
        warm_up = self._is_warm_up(due_s)
        self._keep(
            Attempt(kind="invocation", warm_up=warm_up, outcome="dropped", due_s=due_s, ended_s=now_s, detail=detail)
        )

    def _attempt(
        self, kind: Kind, due_s: float, started: float, trace: Trace, payload: Payload | None = None
    ) -> Attempt:
        carried: dict[str, Any] = {}
        if payload is not None:
            origin = payload.origin
            carried = {"codec": payload.codec, "offset": origin.offset, "end_ns": origin.end_ns}
        return Attempt(
            kind=kind,
            warm_up=self._is_warm_up(due_s),
            outcome=trace.outcome,
            due_s=due_s,
            started_s=started - self._start,
            connect_s=trace.connect_s,
            sent_s=self._since_start(trace.sent),
            first_byte_s=self._since_start(trace.first_byte),
            ended_s=trace.ended - self._start,
            status=trace.status,
            retry_after=trace.retry_after,
            detail=trace.detail,
            body=trace.body.decode("utf-8", "backslashreplace"),
            **carried,
        )

    def _keep(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        self.tell(attempt)

    def _is_warm_up(self, due_s: float) -> bool:
        return due_s < self.plan.profile.load.warm_up_s

    def _since_start(self, moment: float | None) -> float | None:
        return None if moment is None else moment - self._start

    def _sleep_until(self, due_s: float) -> None:
        remaining_s = self._start + due_s - time.perf_counter()
        if remaining_s > 0:
            gevent.sleep(remaining_s)
