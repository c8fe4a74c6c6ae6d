"""The local endpoint: what its router adds to one call, and whether it keeps four containers busy."""

from __future__ import annotations

import statistics
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from harness.release.endpoint import Endpoint, EndpointConfig, VariantConfig
from tests.bench import wrk
from tests.bench.contenders import CLIENT_CORE, SERVER_CORE, bodies, ground, on_core
from tests.bench.row import Line, Row, spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.contenders import Ground

CONTAINERS, CONNECTIONS, ROUNDS = 4, 16, 3
_LASTS_S = 1  # wrk takes whole seconds
_ADDED_S, _SHARE = 0.002, 0.9
HOW = (
    f"{CONTAINERS} containers of the reference image on one core, the router and the client (wrk) on another; half "
    "JSON, half CSV. The p50 is that of one call at a time to one container, through the router and directly. Then "
    f"{CONTAINERS} variants under {CONNECTIONS} connections, beside {CONNECTIONS // CONTAINERS} directly to each "
    "container at the same time: the router keeps up where the containers' core is as busy behind it; "
    f"{ROUNDS} rounds in turn"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How busy the containers' core was, as a share of 1, and how many calls a second were answered meanwhile."""

    busy: float
    rate_per_s: float


def run() -> list[Line]:
    """Measure in turn, and return both lines."""
    with ground() as here, _containers(here) as containers, on_core(CLIENT_CORE):
        with _endpoint(containers[:1]) as through:
            added = [(_one_at_a_time_s(here, through), _one_at_a_time_s(here, containers[0])) for _ in range(ROUNDS)]
        with _endpoint(containers) as through:
            kept = [(_together(here, [through]), _together(here, containers)) for _ in range(ROUNDS)]
    return [added_line(added), kept_line(kept)]


@contextmanager
def _endpoint(containers: Sequence[wrk.Place]) -> Iterator[wrk.Place]:
    variants = tuple(VariantConfig(name=f"v{at}", url=one.url) for at, one in enumerate(containers))
    with Endpoint.up(EndpointConfig(variants=variants)) as endpoint:
        yield wrk.Place(url=endpoint.url, path=f"/endpoints/{endpoint.name}/invocations")


@contextmanager
def _containers(here: Ground) -> Iterator[list[wrk.Place]]:
    with ThreadPoolExecutor(CONTAINERS) as pool:
        suts = [start.result() for start in [pool.submit(here.reference) for _ in range(CONTAINERS)]]
    yield [wrk.Place(url=sut.url) for sut in suts]


def _one_at_a_time_s(here: Ground, place: wrk.Place) -> float:
    return wrk.load(place, bodies(here.profile), connections=1, duration_s=_LASTS_S).p50_s


def _together(here: Ground, places: Sequence[wrk.Place]) -> Kept:
    """Load all together, each over its part of the connections."""
    sent, each = bodies(here.profile), CONNECTIONS // len(places)
    before = psutil.cpu_times(percpu=True)[SERVER_CORE]
    with ThreadPoolExecutor(len(places)) as pool:
        loads = [pool.submit(wrk.load, place, sent, connections=each, duration_s=_LASTS_S) for place in places]
    rate_per_s = sum(load.result().rate_per_s for load in loads)
    spent = [now - then for now, then in zip(psutil.cpu_times(percpu=True)[SERVER_CORE], before, strict=True)]
    return Kept(busy=1 - spent[before._fields.index("idle")] / sum(spent), rate_per_s=rate_per_s)


def added_line(pairs: Sequence[tuple[float, float]]) -> Line:
    """Tell what the router adds, of pairs of seconds: through it, and directly."""
    through, directly = ([pair[side] for pair in pairs] for side in (0, 1))
    added = spread([(one - other) * 1000 for one, other in pairs])
    return Line(
        measured="endpoint: p50 of one call at a time",
        ours=f"{statistics.median(through) * 1000:.2f} ms",
        beside=f"the container itself {statistics.median(directly) * 1000:.2f} ms",
        ratio=f"{added} ms more",
        goal=f"less than {_ADDED_S * 1000:g} ms more",
        kept=added.median < _ADDED_S * 1000,
    )


def kept_line(pairs: Sequence[tuple[Kept, Kept]]) -> Line:
    """Tell whether it keeps the containers busy, of pairs: through it, and directly."""
    through, directly = ([pair[side] for pair in pairs] for side in (0, 1))
    ratio = spread([one.busy / other.busy for one, other in pairs])
    return Line(
        measured=f"endpoint: how busy {CONTAINERS} containers are kept",
        ours=_told(through),
        beside=f"asked directly {_told(directly)}",
        ratio=f"{ratio} times",
        goal=f"{_SHARE:g} times",
        kept=ratio.median >= _SHARE,
    )


def _told(kept: Sequence[Kept]) -> str:
    busy = statistics.median(one.busy for one in kept)
    rate_per_s = statistics.median(one.rate_per_s for one in kept)
    return f"{busy:.0%} at {rate_per_s:.0f} calls/s"


ROW = Row(name="endpoint", how=HOW, budget_s=30, run=run)
