"""A slow network: clients ask for predictions over ways that lose nothing, and are answered like anybody else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.faults.bad_network import ON_ITS_WAY_S, BadNetwork, far, undisturbed
from harness.faults.inquiry import Inquiry
from harness.faults.requests_in_bytes import last_ping

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second
    from harness.faults.crowd import Manner, Visit
    from harness.system.proxy.proxy import Way

# Of so many visits one asks for a prediction, where the others ping.
_VISITS_A_PREDICTION = 8


def slow_network(
    profile: Profile,
    series: Sequence[Second],
    *,
    name: str,
    ways: tuple[Way, ...],
    lag_s: float,
    then: Callable[[Visit], Awaitable[None]] | None = None,
    pings_between: bool = False,
) -> BadNetwork:
    """Make a fault of ways that add `lag_s` at most to a request and its answer.

    `then` is what a client does over the same connection once it was answered; others close it. `pings_between`: more
    visits, most of which ask for a ping alone, which is no part of the load.
    """
    within_s = lag_s + profile.http.budget_s + ON_ITS_WAY_S
    inquiry = Inquiry(profile, series, patience_s=2 * within_s)

    async def behave(visit: Visit) -> None:
        if pings_between and (visit.number + visit.turn) % _VISITS_A_PREDICTION:
            await visit.send(last_ping(profile.http))
            await visit.until_closed()
            return
        await inquiry.ask(visit, inquiry.good(), keep=then is not None)
        if then is not None:
            await then(visit)

    return BadNetwork(
        name=name,
        ways=ways,
        manner=_often(far(profile, behave)) if pings_between else far(profile, behave),
        hold_s=profile.chaos.traffic_s / 2,
        inquiry=inquiry,
        patience_s=2 * within_s,
        expects=undisturbed(far_within_s=within_s),
    )


def _often(manner: Manner) -> Manner:
    """Return a crowd of twice the clients, which together come so many times as often."""
    return replace(manner, size=2 * manner.size, period_s=2 * manner.period_s / _VISITS_A_PREDICTION)
