"""The works of an endpoint: all that runs in its own thread, put together, and taken apart again."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.release.endpoint.asking import Asker
from harness.release.endpoint.control import TARGET
from harness.release.endpoint.door import Door
from harness.release.endpoint.fleet import start_all
from harness.release.endpoint.keeper import Keeper
from harness.release.endpoint.loop import Loop
from harness.release.endpoint.router import Router
from harness.release.endpoint.tally import Count
from harness.release.endpoint.variant import Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp.web import BaseRequest, Response

    from harness.contract.profile import Profile
    from harness.release.endpoint.config import AnyVariant, EndpointConfig, VariantConfig
    from harness.release.endpoint.control import Control
    from harness.release.endpoint.supply import Instance, Supply
    from harness.release.endpoint.tally import Invocation, Tally

    Say = Callable[[str], None]


class Works:
    """Router, keeper and door, and the loop in which they run; steered by one thread at a time."""

    def __init__(self, config: EndpointConfig, profile: Profile, supply: Supply, *, control: Control, say: Say) -> None:
        """Put them together; nobody is answered yet."""
        self._control = control
        self._config = config
        self._http = profile.http
        self._supply = supply
        self._say = say
        self._gone: dict[str, Variant] = {}
        self._loop = Loop(f"endpoint {config.name}")
        self._loop.run(self._make())

    async def _make(self) -> None:
        config = self._config
        self._asker = Asker(self._http, deadline_s=config.deadline_s, payload_bytes=config.payload_bytes)
        self._keeper = Keeper(config.health, self._http, asker=self._asker, supply=self._supply, say=self._say)
        self.router = Router(config, self._asker)
        self._door = Door(self._answer)

    async def _answer(self, request: BaseRequest) -> Response:
        return await (self._control.answer if TARGET in request.headers else self.router.answer)(request)

    def open(self) -> str:
        """Start all variants, then answer calls; return the base URL.

        Raises `CannotServe` where one cannot be started, `OSError` where the port is taken: close it then.
        """
        failed = None
        for one, started in start_all(self._supply, self._config.everybody):
            if started.exception() is None:
                self.join(one, started.result())
            failed = failed or started.exception()
        if failed is not None:
            raise failed
        return self._loop.run(self._door.open(self._config.port))

    def close(self) -> None:
        """Refuse new calls, answer what is in flight, let go of all containers, end the thread."""
        self.router.is_closing = True
        self._supply.close()
        for variant in tuple(self.router.variants.values()):
            self._await(variant)
        self._loop.run(self._let_go())
        self._loop.close()

    def join(self, config: AnyVariant, instances: Sequence[Instance]) -> None:
        """Take in a variant with containers that are ready."""
        variant = Variant(config, Count(self._http.budget_s))
        self._loop.call(self._join, variant, instances)
        self._gone.pop(variant.name, None)

    def leave(self, name: str) -> None:
        """Give a production variant no more calls, await those in flight, remove its containers."""
        self._drain(self._loop.call(self.router.variants.pop, name))

    def leave_shadow(self) -> None:
        """Give the shadow no more copies, await those in flight, remove its containers."""
        leaving, self.router.shadow = self.router.shadow, None
        if leaving is not None:
            self._drain(leaving)

    def weigh(self, variants: Sequence[VariantConfig]) -> None:
        """Set the weights of variants, all at one moment."""
        self._loop.call(self._weigh, variants)

    def tallies(self) -> dict[str, Tally]:
        """Return what each variant got since it joined, the shadow and those that left included."""
        gone, here = list(self._gone.values()), self._variants()

        def tell() -> dict[str, Tally]:
            left = {one.name: replace(one.tally(), has_left=True, weight=0.0) for one in gone}
            return left | {one.name: one.tally() for one in here}

        return self._loop.call(tell)

    def invocations(self, after: int) -> list[Invocation]:
        """Return the invocations that are remembered and have a higher number."""
        return self._loop.call(self.router.memory.after, after)

    def _variants(self) -> list[Variant]:
        shadow = self.router.shadow
        return [*self.router.variants.values(), *([shadow] if shadow is not None else [])]

    def _join(self, variant: Variant, instances: Sequence[Instance]) -> None:
        for instance in instances:
            self._keeper.take_in(variant, instance)
        if variant.is_shadow:
            self.router.shadow = variant
        else:
            self.router.variants[variant.name] = variant

    def _weigh(self, variants: Sequence[VariantConfig]) -> None:
        for one in variants:
            self.router.variants[one.name].config = one

    def _drain(self, variant: Variant) -> None:
        self._gone[variant.name] = variant
        self._await(variant)
        self._loop.run(self._keeper.let_go(variant))

    def _await(self, variant: Variant) -> None:
        with contextlib.suppress(TimeoutError):
            self._loop.run(variant.wait_idle(self._config.deadline_s))

    async def _let_go(self) -> None:
        for variant in self._variants():
            await self._keeper.let_go(variant)
        await self._door.close()
        await self._asker.close()
