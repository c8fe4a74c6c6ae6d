"""The container's network: its own address there, leaving it and joining it, and who resolves names for it."""

from __future__ import annotations

import io
import ipaddress
import socket
import tarfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import docker

from harness.system.processes import OutOfReach, is_of_this_machine

if TYPE_CHECKING:
    from harness.system.container import Sut

_BRIDGE = "bridge"
_REACH_S = 1.0
_RESOLVERS = "/etc/resolv.conf"


def own_address(sut: Sut) -> tuple[str, int]:
    """Return where the container itself listens; raise `OutOfReach` where this machine has no way there.

    Before a published port Docker may have put a proxy of its own, which turns a reset into an orderly end, and reads
    what nobody reads.
    """
    if not is_of_this_machine(sut):
        msg = f"{sut.name} is no container of this machine, or it is down: its own address is out of reach"
        raise OutOfReach(msg)
    places = [(found["IPAddress"], sut.port) for found in _endpoints(sut).values() if found["IPAddress"]]
    for place in places:
        try:
            socket.create_connection(place, timeout=_REACH_S).close()
        except OSError:
            continue
        return place
    msg = f"nothing of {sut.name} is reached at {places or 'an address of its own'}"
    raise OutOfReach(msg)


def nearest_address(sut: Sut) -> tuple[str, int]:
    """Return the container's own address where it is within reach, else its published port's."""
    try:
        return own_address(sut)
    except OutOfReach:
        place = urlsplit(sut.url)
        return str(place.hostname), int(place.port or 0)


def resets_met(sut: Sut) -> int:
    """Return how many connections the container's kernel has seen end with a reset; 0 where it is down."""
    try:
        counted = Path(f"/proc/{sut.container.attrs['State']['Pid']}/net/snmp").read_text()
    except OSError:
        return 0
    names, values = (line.split() for line in counted.splitlines() if line.startswith("Tcp:"))
    return int(dict(zip(names, values, strict=True))["EstabResets"])


def network_of(sut: Sut) -> str:
    """Name the network that the container was started on."""
    mode = str(sut.container.attrs["HostConfig"]["NetworkMode"])
    return _BRIDGE if mode == "default" else mode


def is_joined(sut: Sut) -> bool:
    """Whether the container is on its network."""
    sut.container.reload()
    return network_of(sut) in _endpoints(sut)


def leave(sut: Sut) -> None:
    """Take the container off its network."""
    with closing(docker.from_env()) as engine:
        engine.networks.get(network_of(sut)).disconnect(sut.container)


def join(sut: Sut) -> None:
    """Put the container on its network again; its address and its published port may be others."""
    with closing(docker.from_env()) as engine:
        engine.networks.get(network_of(sut)).connect(sut.container)


def silent_address() -> str:
    """Return an address of Docker's network that no container has: whoever is asked there never answers."""
    with closing(docker.from_env()) as engine:
        subnets = [row["Subnet"] for row in engine.networks.get(_BRIDGE).attrs["IPAM"]["Config"]]
    networks = [ipaddress.ip_network(subnet) for subnet in subnets]
    # Docker hands addresses out from the lower end.
    return str(next(network for network in networks if network.version == 4).broadcast_address - 1)  # noqa: PLR2004 - IPv4


def resolvers_of(sut: Sut) -> list[str]:
    """Return the addresses that the container asks for names, as it finds them itself."""
    blocks, _ = sut.container.get_archive(_RESOLVERS)
    with tarfile.open(fileobj=io.BytesIO(b"".join(blocks))) as archive:
        file = archive.extractfile(archive.getmembers()[0])
        text = file.read().decode() if file is not None else ""
    return [line.split()[1] for line in text.splitlines() if line.startswith("nameserver ")]


def _endpoints(sut: Sut) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = sut.container.attrs["NetworkSettings"]["Networks"]
    return found
