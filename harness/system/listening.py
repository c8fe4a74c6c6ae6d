"""Where a container listens, as the kernel has it: which ports, and whether they are reached from outside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.system.processes import is_of_this_machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.system.container import Sut

_LISTENS = "0A"
# 127.0.0.0/8 as the kernel writes it, last byte first; ::1; and how the one begins where it is written as the other.
_LOOPBACK_4, _LENGTH_4 = "7F", 8
_LOOPBACK_6, _MAPPED = "00000000000000000000000001000000", "0000000000000000FFFF0000"


def listening(sut: Sut) -> Mapping[int, bool]:
    """Return the ports on which a container listens: True where from outside too; none where it cannot be seen."""
    if not is_of_this_machine(sut):
        return {}
    first = sut.container.attrs["State"]["Pid"]
    found: dict[int, bool] = {}
    for name in ("tcp", "tcp6"):
        try:
            table = Path(f"/proc/{first}/net/{name}").read_text()
        except OSError:
            continue
        for port, is_open in listed(table.splitlines()[1:]):
            found[port] = found.get(port, False) or is_open
    return found


def listed(rows: Iterable[str]) -> Iterator[tuple[int, bool]]:
    """Yield port and whether it is reached from outside, for each row of the kernel's table that listens."""
    for row in rows:
        _, local, _, state, *_ = row.split()
        address, _, port = local.partition(":")
        if state == _LISTENS:
            yield int(port, 16), not _is_loopback(address)


def _is_loopback(address: str) -> bool:
    is_of_4 = len(address) == _LENGTH_4 or address.startswith(_MAPPED)
    return address == _LOOPBACK_6 or (is_of_4 and address.endswith(_LOOPBACK_4))
