"""A slow network: clients ask for predictions over ways that lose nothing, and are answered like anybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.faults.bad_network import ON_ITS_WAY_S, BadNetwork, far, undisturbed
from harness.faults.inquiry import Inquiry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.crowd import Visit
    from harness.system.proxy.proxy import Way


def slow_network(
    profile: Profile,
    series: Sequence[Second],
    *,
    name: str,
    ways: tuple[Way, ...],
    lag_s: float,
    then: Callable[[Visit], Awaitable[None]] | None = None,
) -> BadNetwork:
    """Make a fault of ways that add `lag_s` at most to a request and its answer.

    `then` is what a client does over the same connection once it was answered; others close it.
    """
    within_s = lag_s + profile.http.budget_s + ON_ITS_WAY_S
    inquiry = Inquiry(profile, series, patience_s=2 * within_s)

    async def behave(visit: Visit) -> None:
        await inquiry.ask(visit, inquiry.good(), keep=then is not None)
        if then is not None:
            await then(visit)

    return BadNetwork(
        name=name,
        ways=ways,
        manner=far(profile, behave),
        hold_s=profile.chaos.traffic_s / 2,
        inquiry=inquiry,
        patience_s=2 * within_s,
        expects=undisturbed(far_within_s=within_s),
    )
