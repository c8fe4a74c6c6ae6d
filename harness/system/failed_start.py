"""Why a container did not become ready: what is wrong, and a way out."""

from __future__ import annotations

import ipaddress
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker.errors

from harness.system.daemon import LOOPBACK, Machine
from harness.system.image import ensure_not_foreign
from harness.system.processes import is_of_this_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.system.container import Sut

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
# A line of the kernel's table of sockets: the own address and port in hexadecimal, the other side's, and 0A: listens.
_LISTENS = re.compile(r"(?m)^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:0000 0A ")
_RESOLVER = ipaddress.ip_address("127.0.0.11")  # Docker's own, in the container's network
_NO_PROGRAM = "exec format error"
# What Docker says where it is the image that has nothing to run, or that its user may not run.
_NOTHING_TO_RUN = re.compile(rf"(?i)no command specified|exec:|executable file|{_NO_PROGRAM}|permission denied")
_NO_SUCH_ADDRESS = "cannot assign requested address"


def is_of_image(why: str) -> bool:
    """Whether it is for the image's sake that Docker starts no container: what it is to run is not there."""
    return bool(_NOTHING_TO_RUN.search(why))


def refused(sut: Sut, why: str) -> str:
    """Say why Docker starts no container; raise `ImageForeign` where its machine cannot run the image."""
    says = f"no container of {sut.image!r} can be started: {why.strip()}"
    if _NO_PROGRAM in why:
        ensure_not_foreign(sut.image)
    if _NO_SUCH_ADDRESS in why:
        return f"{_apart(Machine(), 'cannot publish ports')} ({why.strip()})"
    if is_of_image(why):
        arguments = list(sut.launch.arguments)
        return f"{says}; it is started with the arguments {arguments}: the profile's `arguments` in `[container]`"
    return says


def ended(sut: Sut) -> str:
    """Say how a container ended before it was ready; raise `ImageForeign` where this engine cannot run its image."""
    story = sut.story()
    if _NO_PROGRAM in story:
        ensure_not_foreign(sut.image)
        way_out = "its program is none that this machine can run: build it for this kind, a script begins with `#!`"
    elif sut.state().oom_killed:
        way_out = f"the profile's `chaos.memory_mb` grants it {sut.profile.chaos.memory_mb} MiB: have it need less"
    else:
        again = " ".join(["docker run --rm", sut.image, *sut.launch.arguments])
        way_out = f"`{again}` must keep running: mend what its log says, or give it what it lacks in `[container]`"
    head, _, log = story.partition("; last log lines:")
    return f"{head}, before it was ready; {way_out} of the profile; last log lines:{log}" if log else story


def silent(sut: Sut, last: str) -> str:
    """Say where a container listens, if not where it must, or what else may help; empty where nothing is known."""
    port, listens = sut.port, list(_listening(sut))
    if any(found == port and not address.is_loopback for address, found in listens):
        return _of_routes(sut, last)
    if any(found == port for _, found in listens):
        return f"{sut.image!r} listens on port {port} of the loopback address alone: have it listen on 0.0.0.0"
    if listens:
        others = ", ".join(str(other) for other in sorted({found for _, found in listens}))
        return (
            f"{sut.image!r} listens on port {others}, and on {port} the profile expects it: "
            "write its port into the profile (`port` in `[container]`), or have it listen there"
        )
    return _of_distance()


def _of_routes(sut: Sut, last: str) -> str:
    if last.startswith(("404", "405")):
        path = sut.profile.http.ping_path
        return f"{sut.image!r} knows no GET {path}: write its route into the profile (`ping_path` in `[http]`)"
    return ""


def _of_distance() -> str:
    """Name what lies between, where the engine is another machine's."""
    machine = Machine()
    is_near = machine.address_of_containers == LOOPBACK and not machine.engine_address().startswith(("tcp:", "ssh:"))
    return "" if is_near else _apart(machine, "publishes ports")


def _apart(machine: Machine, does: str) -> str:
    return (
        f"the Docker engine at {machine.engine_address()} {does} at {machine.address_of_containers}, which must be an "
        "address of its machine and in reach: run the harness there, or name another address of it in DOCKER_HOST"
    )


def _listening(sut: Sut) -> Iterator[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]]:
    """Yield the addresses and ports on which the container's processes listen, as far as they can be seen."""
    for address, port in _LISTENS.findall(_sockets(sut)):
        found = _address(address)
        if found != _RESOLVER:
            yield found, int(port, 16)


def _sockets(sut: Sut) -> str:
    """Return the kernel's tables of the container's sockets: from this machine's side, else from within."""
    try:
        if is_of_this_machine(sut):
            own = f"/proc/{sut.container.attrs['State']['Pid']}/net"
            return "\n".join(Path(own, Path(table).name).read_text(encoding="ascii") for table in _TABLES)
    except OSError:
        pass  # another user's
    try:
        output: Any = sut.container.exec_run(["cat", *_TABLES]).output
        return bytes(output or b"").decode("ascii", "replace")
    except docker.errors.APIError:
        return ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address as the kernel writes it: words of four bytes, each the other way round."""
    words = bytes.fromhex(text)
    raw = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    version = socket.AF_INET if len(raw) == 4 else socket.AF_INET6  # noqa: PLR2004 - the bytes of an IPv4 address
    found = ipaddress.ip_address(socket.inet_ntop(version, raw))
    return getattr(found, "ipv4_mapped", None) or found


def listening_ports(sut: Sut) -> dict[int, bool]:
    """Return the ports on which a container listens: True where from outside too; none where it cannot be seen."""
    found: dict[int, bool] = {}
    for address, port in _listening(sut):
        found[port] = found.get(port, False) or not address.is_loopback
    return found
