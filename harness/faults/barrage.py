"""A barrage of what is malformed, as HTTP or as a body, and of what is too large."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.faults.crowd import Manner, Visit
from harness.faults.requests_in_bytes import invocation, window_of
from harness.faults.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.contract.series import Second

_CLIENTS, _PERIOD_S = 16, 0.4
# What a client waits for an answer before it comes again with something else.
_PATIENCE_S = 2.0
_NESTED = 100_000
_DIGITS = 100_000
_GIB = 1 << 30


def barrage(profile: Profile, series: Sequence[Second]) -> Traffic:
    """Make the fault that a profile describes."""
    http, window = profile.http, window_of(profile, series)
    too_large = window + b" " * (http.body_limit_bytes - len(window) + (1 << 16))
    path = http.invocations_path.encode()
    salvo = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        b"\r\n\r\n\r\n" + b"\x00" * 512,
        b"POST " + path + b" HTTP/9.9\r\nHost: sut\r\n\r\n",
        b"POST " + path + b" HTTP/1.1\r\nHost: sut\r\nContent-Length: -1\r\n\r\n",
        b"POST " + path + b" HTTP/1.1\r\nHost: sut\r\nno colon\r\n\r\n",
        b"POST " + path + b" HTTP/1.1\r\nHost: sut\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        invocation(profile, window[: len(window) // 2]),
        invocation(profile, b"[" * _NESTED),
        invocation(profile, b'{"' + profile.window.key.encode() + b'": [' + b"9" * _DIGITS + b"]}"),
        invocation(profile, b"\xff\xfe" + window[2:]),
        invocation(profile, too_large),
        invocation(profile, too_large, length=_GIB),
    )

    async def behave(visit: Visit) -> None:
        await visit.send(salvo[(visit.number + visit.turn) % len(salvo)])
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await visit.until_closed()
        except TimeoutError:
            return

    manner = Manner(size=_CLIENTS, period_s=_PERIOD_S, behave=behave)
    return Traffic(name="barrage", manner=manner, hold_s=profile.chaos.traffic_s, is_loud=True)
