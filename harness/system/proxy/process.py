"""The proxy's process: takes orders from its parent as lines of JSON, and ends when the parent does.

`{"open": ...}` opens a door and is answered with its port, `{"tell": true}` with what every door counted.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import asdict
from typing import Any

from harness.system.proxy.door import Door
from harness.system.proxy.troubles import from_order


async def serve() -> None:
    """Do what is ordered until there are no more orders, as at the parent's death, then end every connection."""
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    doors: list[Door] = []
    while line := await orders.readline():
        sys.stdout.write(json.dumps(_done(json.loads(line), doors)) + "\n")
        sys.stdout.flush()
    for door in doors:
        await door.close()


def _done(order: dict[str, Any], doors: list[Door]) -> dict[str, Any]:
    if "open" in order:
        wanted = order["open"]
        to_sut, to_client = from_order(wanted["to_sut"]), from_order(wanted["to_client"])
        doors.append(Door(upstream=(wanted["host"], wanted["port"]), to_sut=to_sut, to_client=to_client))
        return {"port": doors[-1].open()}
    return {"doors": [_told(door) for door in doors]}


def _told(door: Door) -> dict[str, Any]:
    to_sut, to_client = door.tell()
    return {"unreachable": door.unreachable, "to_sut": asdict(to_sut), "to_client": asdict(to_client)}


if __name__ == "__main__":
    # Ctrl-C in the terminal is for the parent, which then has time to revert.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(serve())
