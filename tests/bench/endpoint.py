"""The local endpoint: what its router adds to one call, and whether it keeps up with four containers."""

from __future__ import annotations

import statistics
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.release.endpoint import Endpoint, EndpointConfig, VariantConfig
from tests.bench import haproxy, wrk
from tests.bench.contenders import CLIENT_CORE, bodies, ground, on_core
from tests.bench.row import Line, Row, spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.contenders import Ground

CONTAINERS, CONNECTIONS, ROUNDS = 4, 16, 3
_LASTS_S = 2  # wrk takes whole seconds
_ADDED_S, _SHARE = 0.002, 0.9
HOW = (
    f"{CONTAINERS} containers of the reference image on one core, the router and the client (wrk) on another; half "
    "JSON, half CSV. The p50 is that of one call at a time to one container, through the router and directly. Then "
    f"{CONTAINERS} variants under {CONNECTIONS} connections, beside HAProxy, which draws one of the same {CONTAINERS} "
    "for each request likewise, with one thread (asked without a router, each container gets its calls in step and "
    f"predicts them as one batch: that is another load); {ROUNDS} rounds in turn"
)


def run() -> list[Line]:
    """Measure in turn, and return both lines."""
    with ground() as here, _containers(here) as containers, on_core(CLIENT_CORE):
        with _endpoint(containers[:1]) as through:
            added = [(_p50_s(here, through), _p50_s(here, containers[0])) for _ in range(ROUNDS)]
        with _endpoint(containers) as ours, haproxy.running(containers) as theirs:
            kept = [(_calls_per_s(here, ours), _calls_per_s(here, theirs)) for _ in range(ROUNDS)]
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


def _p50_s(here: Ground, place: wrk.Place) -> float:
    return wrk.load(place, bodies(here.profile), connections=1, duration_s=_LASTS_S).p50_s


def _calls_per_s(here: Ground, place: wrk.Place) -> float:
    return wrk.load(place, bodies(here.profile), connections=CONNECTIONS, duration_s=_LASTS_S).rate_per_s


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


def kept_line(pairs: Sequence[tuple[float, float]]) -> Line:
    """Tell whether it keeps up with the containers, of pairs of calls a second: through it, and through HAProxy."""
    ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
    ratio = spread([one / other for one, other in pairs])
    return Line(
        measured=f"endpoint: calls/s to {CONTAINERS} containers",
        ours=f"{statistics.median(ours):.0f}",
        beside=f"HAProxy {statistics.median(theirs):.0f}",
        ratio=f"{ratio} times",
        goal=f"{_SHARE:g} times",
        kept=ratio.median >= _SHARE,
    )


ROW = Row(name="endpoint", how=HOW, budget_s=60, run=run)
