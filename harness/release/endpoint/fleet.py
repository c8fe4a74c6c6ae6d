"""Containers that are started side by side: those of one variant, and those of all."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from harness.release.endpoint.supply import CannotServe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.release.endpoint.config import AnyVariant
    from harness.release.endpoint.supply import Instance, Supply


def start_all(supply: Supply, variants: Sequence[AnyVariant]) -> list[tuple[AnyVariant, Future[list[Instance]]]]:
    """Start the containers of all variants, and return what became of each one's."""
    with ThreadPoolExecutor(len(variants)) as pool:
        return [(one, pool.submit(start, supply, one)) for one in variants]


def start(supply: Supply, variant: AnyVariant) -> list[Instance]:
    """Start a variant's containers; raise `CannotServe` where one of them does not become ready: none is left then."""
    with ThreadPoolExecutor(variant.instances) as pool:
        starts = [pool.submit(supply.instance, variant) for _ in range(variant.instances)]
    failed = next((failure for one in starts if (failure := one.exception()) is not None), None)
    ready = [one.result() for one in starts if one.exception() is None]
    if failed is None:
        return ready
    for instance in ready:
        instance.leave()
    if isinstance(failed, CannotServe):
        msg = f"variant {variant.name}: {failed}"
        raise CannotServe(msg) from failed
    raise failed
