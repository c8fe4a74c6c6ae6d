"""The router: which variant gets a call is chance by weight, who asks for one by name gets it, a shadow gets copies."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

from harness.release.endpoint.answers import Refused, invalid, model_error, success, unavailable
from harness.release.endpoint.call import ATTRIBUTES, Call, read_call
from harness.release.endpoint.tally import Invocation, Memory

if TYPE_CHECKING:
    from aiohttp.web import BaseRequest, Response

    from harness.release.endpoint.asking import Asker, Reply
    from harness.release.endpoint.config import EndpointConfig
    from harness.release.endpoint.variant import Variant

# So many copies a shadow may still owe an answer to; what comes then is not copied.
MOST_COPIES = 64


class Router:
    """Answers calls; all of it runs in one thread."""

    def __init__(self, config: EndpointConfig, asker: Asker) -> None:
        """Begin without a variant."""
        self._config = config
        self._asker = asker
        self._chance = random.Random(config.seed or None)  # noqa: S311 - shares of traffic, no secret
        self._copies: set[asyncio.Task[None]] = set()
        self.variants: dict[str, Variant] = {}
        self.shadow: Variant | None = None
        self.memory = Memory(config.kept)
        self.is_closing = False

    async def answer(self, request: BaseRequest) -> Response:
        """Answer one request."""
        config = self._config
        try:
            call = await read_call(request, endpoint=config.name, payload_bytes=config.payload_bytes)
            variant = self.chosen(call)
        except Refused as refused:
            return refused.answer
        variant.begin()
        try:
            self._copy(call)
            reply = await self._asked(variant, call)
        finally:
            variant.end()
        return self._told(variant, reply)

    def chosen(self, call: Call) -> Variant:
        """Return whose turn it is; raise `Refused` where nobody may answer."""
        if self.is_closing:
            raise Refused(unavailable("The endpoint goes down."))
        if call.target:
            if call.target not in self.variants:
                known = ", ".join(self.variants)
                raise Refused(invalid(f"There is no production variant {call.target!r} here; there are: {known}."))
            return self.variants[call.target]
        variants = list(self.variants.values())
        return self._chance.choices(variants, [one.weight for one in variants])[0]

    def _copy(self, call: Call) -> None:
        """Send a copy to the shadow, for which nobody waits."""
        shadow = self.shadow
        if shadow is None or self._chance.random() >= shadow.weight:
            return
        if shadow.count.in_flight >= MOST_COPIES:
            shadow.count.dropped += 1
            return
        shadow.begin()
        task = asyncio.create_task(self._copied(shadow, call))
        self._copies.add(task)
        task.add_done_callback(self._copies.discard)

    async def _copied(self, shadow: Variant, call: Call) -> None:
        try:
            await self._asked(shadow, call)
        finally:
            shadow.end()

    async def _asked(self, variant: Variant, call: Call) -> Reply:
        began_at_s = time.time()
        reply = await self._asker.ask(variant, call)
        variant.count.add(reply.outcome, reply.latency_s)
        self.memory.add(
            Invocation(
                number=self.memory.next_number(),
                variant=variant.name,
                inference_id=call.inference_id,
                is_shadow=variant.is_shadow,
                began_at_s=began_at_s,
                latency_s=reply.latency_s,
                outcome=reply.outcome,
                status=reply.status,
                content_type=call.content_type,
                body=call.body,
                answer=reply.body if reply.status else b"",
            )
        )
        return reply

    def _told(self, variant: Variant, reply: Reply) -> Response:
        if reply.outcome == "ok":
            return success(reply, variant.name, ATTRIBUTES)
        if reply.outcome == "unavailable":
            return unavailable(f"No container of variant {variant.name!r} is ready.")
        return model_error(reply, endpoint=self._config.name, variant=variant.name)
