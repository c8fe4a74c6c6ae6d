"""Looks after containers as SageMaker does: pings each, and puts another one in the place of one that fails."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from harness.release.endpoint.supply import CannotServe
from harness.release.endpoint.variant import Member

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.contract.profile import Http
    from harness.release.endpoint.asking import Asker
    from harness.release.endpoint.config import Health
    from harness.release.endpoint.supply import Instance, Supply
    from harness.release.endpoint.variant import Variant

    Say = Callable[[str], None]

_AGAIN_S = 1.0


class Keeper:
    """Keeps each variant at its number of ready containers; runs in the router's thread, waits for Docker in others."""

    def __init__(self, health: Health, http: Http, *, asker: Asker, supply: Supply, say: Say) -> None:
        """Take how often to ping, whom to ask, where others come from, and whom to tell."""
        self._health = health
        self._http = http
        self._asker = asker
        self._supply = supply
        self._say = say

    def take_in(self, variant: Variant, instance: Instance) -> None:
        """Put a ready container into rotation, and watch it from now on."""
        member = Member(instance, self._http)
        variant.members.append(member)
        task = asyncio.create_task(self._keep(variant, member))
        variant.watchers.add(task)
        task.add_done_callback(variant.watchers.discard)

    async def let_go(self, variant: Variant) -> None:
        """Watch a variant no more, and remove its containers; nothing of it may be in flight."""
        for task in tuple(variant.watchers):
            task.cancel()
        await asyncio.gather(*variant.watchers, return_exceptions=True)
        members, variant.members = variant.members, []
        await asyncio.gather(*(asyncio.to_thread(one.instance.leave) for one in members))

    async def _keep(self, variant: Variant, member: Member) -> None:
        """Wait until a container fails, then replace it."""
        await self._until_it_fails(member)
        variant.members.remove(member)
        self._say(f"{variant.name}: {member.instance.name} is lost; one in its place is on its way")
        try:
            instance = await self._another(variant)
        finally:
            await asyncio.shield(asyncio.to_thread(member.instance.leave))
        variant.count.replaced += 1
        self._say(f"{variant.name}: {instance.name} is ready")
        self.take_in(variant, instance)

    async def _until_it_fails(self, member: Member) -> None:
        failed = 0
        while failed < self._health.failed_pings:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(member.alarm.wait(), self._health.ping_every_s)
            member.alarm.clear()
            if await self._asker.is_well(member):
                failed, member.is_suspect = 0, False
                continue
            failed, member.is_suspect = failed + 1, True
            if not await asyncio.to_thread(member.instance.is_there):
                return

    async def _another(self, variant: Variant) -> Instance:
        """Start one until one becomes ready; a start that nobody waits for any more is removed again."""
        while True:
            start = asyncio.create_task(asyncio.to_thread(self._supply.instance, variant.config))
            try:
                return await asyncio.shield(start)
            except asyncio.CancelledError:
                start.add_done_callback(_remove_again)
                raise
            except CannotServe as error:
                self._say(f"{variant.name}: {error}")
            await asyncio.sleep(_AGAIN_S)


def _remove_again(start: asyncio.Task[Instance]) -> None:
    if not start.cancelled() and start.exception() is None:
        asyncio.get_running_loop().run_in_executor(None, start.result().leave)
