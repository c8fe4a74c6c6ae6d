"""The local endpoint: what its router adds to one call, and whether it keeps up with four containers."""

from __future__ import annotations

import statistics
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.release.endpoint import Endpoint, EndpointConfig, VariantConfig
from tests.bench import wrk
from tests.bench.contenders import CLIENT_CORE, bodies, ground, on_core
from tests.bench.row import Line, Row, spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.contenders import Ground

CONTAINERS, CONNECTIONS, ROUNDS = 4, 16, 3
_LASTS_S = 1  # wrk takes whole seconds
_ADDED_S, _SHARE = 0.002, 0.9
HOW = (
    f"{CONTAINERS} containers of the reference image, on one core, behind {CONTAINERS} variants of one endpoint, its "
    "router and the client (wrk) on another core; half JSON, half CSV. The p50 is that of one call at a time, beside "
    f"one container that is asked directly; the rate is that of {CONNECTIONS} connections through the router, beside "
    f"{CONNECTIONS // CONTAINERS} directly to each container at the same time; {ROUNDS} rounds in turn"
)


def run() -> list[Line]:
    """Measure in turn, and return both lines."""
    with ground() as here, _containers(here) as containers, on_core(CLIENT_CORE):
        variants = tuple(VariantConfig(name=f"v{at}", url=one.url) for at, one in enumerate(containers))
        with Endpoint.up(EndpointConfig(variants=variants)) as endpoint:
            through = wrk.Place(url=endpoint.url, path=f"/endpoints/{endpoint.name}/invocations")
            added = [(_one_at_a_time_s(here, through), _one_at_a_time_s(here, containers[0])) for _ in range(ROUNDS)]
            rates = [(_together_per_s(here, [through]), _together_per_s(here, containers)) for _ in range(ROUNDS)]
    return [added_line(added), rate_line(rates)]


@contextmanager
def _containers(here: Ground) -> Iterator[list[wrk.Place]]:
    with ThreadPoolExecutor(CONTAINERS) as pool:
        suts = [start.result() for start in [pool.submit(here.reference) for _ in range(CONTAINERS)]]
    yield [wrk.Place(url=sut.url) for sut in suts]


def _one_at_a_time_s(here: Ground, place: wrk.Place) -> float:
    return wrk.load(place, bodies(here.profile), connections=1, duration_s=_LASTS_S).p50_s


def _together_per_s(here: Ground, places: Sequence[wrk.Place]) -> float:
    """Return the rate of all together, each under its part of the connections."""
    sent, each = bodies(here.profile), CONNECTIONS // len(places)
    with ThreadPoolExecutor(len(places)) as pool:
        loads = [pool.submit(wrk.load, place, sent, connections=each, duration_s=_LASTS_S) for place in places]
    return sum(load.result().rate_per_s for load in loads)


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


def rate_line(pairs: Sequence[tuple[float, float]]) -> Line:
    """Tell whether it keeps up, of pairs of calls a second: through it, and directly."""
    through, directly = ([pair[side] for pair in pairs] for side in (0, 1))
    ratio = spread([one / other for one, other in pairs])
    return Line(
        measured=f"endpoint: calls/s of {CONTAINERS} containers",
        ours=f"{statistics.median(through):.0f}",
        beside=f"asked directly {statistics.median(directly):.0f}",
        ratio=f"{ratio} times",
        goal=f"{_SHARE:g} times",
        kept=ratio.median >= _SHARE,
    )


ROW = Row(name="endpoint", how=HOW, budget_s=30, run=run)
